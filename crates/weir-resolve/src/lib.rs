//! From requirements and a view to a resolution, or to an explanation.
