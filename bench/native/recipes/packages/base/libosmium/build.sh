mkdir -p "$PREFIX/include" "$PREFIX/share/libosmium/cmake"
cp -R include/osmium "$PREFIX/include/"
cp cmake/FindOsmium.cmake cmake/FindProtozero.cmake "$PREFIX/share/libosmium/cmake/"
# All that it needs must be there: one program that reads every format.
printf '%s\n' '#include <osmium/io/any_input.hpp>' \
    'int main(int, char** argv) { osmium::io::Reader reader{argv[1]}; reader.close(); }' >check.cpp
${CXX:-c++} -std=c++17 -DOSMIUM_WITH_LZ4 -pthread -I include -I "$SYSROOT/include" check.cpp \
    -L "$SYSROOT/lib" -Wl,-rpath-link,"$SYSROOT/lib" -lexpat -lbz2 -lz -llz4 -o check
