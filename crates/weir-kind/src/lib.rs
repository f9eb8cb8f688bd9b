//! What a kind of package is: the seam every ecosystem implements.
