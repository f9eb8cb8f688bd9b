# The crate carries the library without its Makefile.
sources=$(find common compress decompress dictBuilder -name '*.c')
case $VARIANT in
    release) flags='-O2 -DNDEBUG' ;;
    debug) flags='-O0 -g' ;;
esac
# shellcheck disable=SC2086 # both are lists of words
${CC:-cc} $flags -fPIC -fvisibility=hidden -DZSTD_DISABLE_ASM -DZSTDLIB_VISIBLE='__attribute__((visibility("default")))' \
    -shared -Wl,-soname,libzstd.so.1 -o libzstd.so.1.5.5 $sources
mkdir -p "$PREFIX/lib/pkgconfig" "$PREFIX/include"
cp libzstd.so.1.5.5 "$PREFIX/lib/"
ln -s libzstd.so.1.5.5 "$PREFIX/lib/libzstd.so.1"
ln -s libzstd.so.1 "$PREFIX/lib/libzstd.so"
cp zstd.h zdict.h zstd_errors.h "$PREFIX/include/"
