to=$DESTDIR$PREFIX
mkdir -p "$to/share/diamond"
cp README "$to/share/diamond/"
