mkdir -p "$PREFIX/share/diamond"
cp README "$PREFIX/share/diamond/"
