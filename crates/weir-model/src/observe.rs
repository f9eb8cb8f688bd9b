//! Watching work that takes long.

/// Is told what happens while work goes on, from whichever thread it happens on: it returns at once.
///
/// Each crate has events of its own; a closure is an observer of any of them.
pub trait Observer<Event>: Send + Sync {
    /// Something happened.
    fn event(&self, event: &Event);

    /// Whether every one of many small events counts, and not only the last of those that come at once.
    fn wants_every_event(&self) -> bool {
        false
    }
}

/// Watches nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unobserved;

impl<Event> Observer<Event> for Unobserved {
    fn event(&self, _event: &Event) {}
}

impl<Event, F: Fn(&Event) + Send + Sync> Observer<Event> for F {
    fn event(&self, event: &Event) {
        self(event);
    }
}
