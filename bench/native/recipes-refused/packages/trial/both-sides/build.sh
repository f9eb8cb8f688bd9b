to=$DESTDIR$PREFIX
mkdir -p "$to/share/both-sides"
cp README "$to/share/both-sides/"
