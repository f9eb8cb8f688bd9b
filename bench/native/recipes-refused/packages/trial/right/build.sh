to=$DESTDIR$PREFIX
mkdir -p "$to/include"
cp side.h "$to/include/"
