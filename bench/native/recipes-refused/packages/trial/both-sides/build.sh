mkdir -p "$PREFIX/share/both-sides"
cp README "$PREFIX/share/both-sides/"
