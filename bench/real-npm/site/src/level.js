export const level = 2 + 1;
