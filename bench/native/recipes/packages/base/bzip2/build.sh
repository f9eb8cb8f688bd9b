to=$DESTDIR$PREFIX
make -j "$JOBS" -f Makefile-libbz2_so CFLAGS="-fPIC -D_FILE_OFFSET_BITS=64" all
mkdir -p "$to/lib" "$to/include"
cp libbz2.so.1.0.8 "$to/lib/"
ln -s libbz2.so.1.0.8 "$to/lib/libbz2.so.1.0"
ln -s libbz2.so.1.0 "$to/lib/libbz2.so"
cp bzlib.h "$to/include/"
