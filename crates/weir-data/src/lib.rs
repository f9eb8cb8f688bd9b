//! Data packages and references to outside data.
