# The crate carries the library without its Makefile.
to=$DESTDIR$PREFIX
# shellcheck disable=SC2046,SC2086 # they are lists of words
cc -fPIC -fvisibility=hidden -DZSTD_DISABLE_ASM '-DZSTDLIB_VISIBLE=__attribute__((visibility("default")))' \
    -shared -Wl,-soname,libzstd.so.1 -o libzstd.so.1.5.7 $(find common compress decompress dictBuilder -name '*.c' | sort)
mkdir -p "$to/lib" "$to/include"
cp libzstd.so.1.5.7 "$to/lib/"
ln -s libzstd.so.1.5.7 "$to/lib/libzstd.so.1"
ln -s libzstd.so.1 "$to/lib/libzstd.so"
cp zstd.h zdict.h zstd_errors.h "$to/include/"
