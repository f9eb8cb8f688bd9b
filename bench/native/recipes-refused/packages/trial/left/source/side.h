#define SIDE "left"
