mkdir -p "$PREFIX/include"
cp side.h "$PREFIX/include/"
