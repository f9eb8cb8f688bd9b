//! Files that references name.

use std::convert::Infallible;
use std::io::{Cursor, Read};

use weir_model::{Digest, Sha256};
use weir_store::{EnsureError, Part, Readers, StoreError};

use crate::world::World;

const CONTENT: &[u8] = b"ten bytes.and ten more";

fn part(offset: usize, bytes: &'static [u8]) -> Result<Part, Infallible> {
    Ok(Part { offset: offset as u64, bytes: Box::new(Cursor::new(bytes)) })
}

/// Bytes, and then a dropped connection.
struct Dropped(Cursor<&'static [u8]>);

impl Read for Dropped {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match self.0.read(buffer)? {
            0 => Err(std::io::ErrorKind::ConnectionReset.into()),
            got => Ok(got),
        }
    }
}

fn drop_after_ten(world: &World) -> Sha256 {
    let digest = Digest::of(CONTENT);
    let dropped = |offset| {
        assert_eq!(offset, 0);
        Ok::<_, Infallible>(Part { offset, bytes: Box::new(Dropped(Cursor::new(&CONTENT[..10]))) })
    };
    let error =
        world.session().ensure_file(&digest, CONTENT.len() as u64, Readers::Everybody, dropped).unwrap_err();
    assert!(matches!(error, EnsureError::Store(StoreError::Interrupted { at: 10, .. })), "{error}");
    assert_eq!(world.session().file(&digest).unwrap(), None);
    digest
}

#[test]
fn a_download_goes_on_where_it_stopped() {
    let world = World::new();
    let digest = drop_after_ten(&world);
    let rest = |offset| {
        assert_eq!(offset, 10);
        part(10, &CONTENT[10..])
    };
    let file = world.session().ensure_file(&digest, CONTENT.len() as u64, Readers::Everybody, rest).unwrap();
    assert_eq!(fs_err::read(file.path()).unwrap(), CONTENT);
    assert_eq!(world.rubbish(), [""; 0]);
    let never = |_| -> Result<Part, Infallible> { panic!("it is there") };
    world.session().ensure_file(&digest, CONTENT.len() as u64, Readers::Everybody, never).unwrap();
}

#[test]
fn a_source_that_cannot_resume_starts_again() {
    let world = World::new();
    let digest = drop_after_ten(&world);
    let file = world
        .session()
        .ensure_file(&digest, CONTENT.len() as u64, Readers::Everybody, |_| part(0, CONTENT))
        .unwrap();
    assert_eq!(fs_err::read(file.path()).unwrap(), CONTENT);
}

#[test]
fn a_wrong_rest_is_refused_and_not_kept_for_the_next_attempt() {
    let world = World::new();
    let digest = drop_after_ten(&world);
    let size = CONTENT.len() as u64;
    let error = world
        .session()
        .ensure_file(&digest, size, Readers::Everybody, |_| part(10, b"and two less"))
        .unwrap_err();
    assert!(matches!(error, EnsureError::Store(StoreError::WrongContent { .. })), "{error}");
    let error =
        world.session().ensure_file(&digest, size, Readers::Everybody, |_| part(3, CONTENT)).unwrap_err();
    assert!(matches!(error, EnsureError::Store(StoreError::WrongOffset { asked: 0, got: 3, .. })), "{error}");
    world
        .session()
        .ensure_file(&digest, size, Readers::Everybody, |offset| {
            part(usize::try_from(offset).unwrap(), CONTENT)
        })
        .unwrap();
}

#[test]
fn more_or_fewer_bytes_than_promised_are_refused() {
    let world = World::new();
    let digest = Digest::of(CONTENT);
    let error =
        world.session().ensure_file(&digest, 5, Readers::Everybody, |_| part(0, CONTENT)).unwrap_err();
    assert!(matches!(error, EnsureError::Store(StoreError::WrongSize { got: 6, .. })), "{error}");
    let error =
        world.session().ensure_file(&digest, 50, Readers::Everybody, |_| part(0, CONTENT)).unwrap_err();
    assert!(matches!(error, EnsureError::Store(StoreError::WrongSize { got: 22, .. })), "{error}");
}
