case $VARIANT in
    release) flags='-O2' ;;
    debug) flags='-O0 -g' ;;
esac
make -j "$JOBS" -f Makefile-libbz2_so CFLAGS="$flags -fPIC -D_FILE_OFFSET_BITS=64" libbz2.so.1.0.8 2>/dev/null ||
    make -j "$JOBS" -f Makefile-libbz2_so CFLAGS="$flags -fPIC -D_FILE_OFFSET_BITS=64"
mkdir -p "$PREFIX/lib" "$PREFIX/include"
cp libbz2.so.1.0.8 "$PREFIX/lib/"
ln -s libbz2.so.1.0.8 "$PREFIX/lib/libbz2.so.1.0"
ln -s libbz2.so.1.0 "$PREFIX/lib/libbz2.so"
cp bzlib.h "$PREFIX/include/"
