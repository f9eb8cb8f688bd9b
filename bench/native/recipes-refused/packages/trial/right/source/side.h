#define SIDE "right"
