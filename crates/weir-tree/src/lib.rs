//! Trees and packs: reading, writing, importing foreign archives.
