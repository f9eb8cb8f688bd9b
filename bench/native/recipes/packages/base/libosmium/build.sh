to=$DESTDIR$PREFIX
mkdir -p "$to/include" "$to/share/libosmium/cmake"
cp -R include/osmium "$to/include/"
cp cmake/FindOsmium.cmake cmake/FindProtozero.cmake "$to/share/libosmium/cmake/"
# All that it needs must be there: one program that reads every format.
printf '%s\n' '#include <osmium/io/any_input.hpp>' \
    'int main(int, char** argv) { osmium::io::Reader reader{argv[1]}; reader.close(); }' >check.cpp
# shellcheck disable=SC2086 # they are lists of words
c++ -std=c++17 -DOSMIUM_WITH_LZ4 -pthread -I include check.cpp \
    -lexpat -lbz2 -lz -llz4 -o check
