//! What led to an error, as text.

use std::error::Error;

/// The texts of what lies below an error, outermost first, without those that the text above has in it already.
pub fn causes(error: &dyn Error) -> Vec<String> {
    let mut texts = Vec::new();
    let mut above = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !above.contains(&text) {
            texts.push(text.clone());
            above = text;
        }
        cause = error.source();
    }
    texts
}

/// An error with everything that led to it, in one line.
pub fn chain(error: &dyn Error) -> String {
    let texts: Vec<String> = std::iter::once(error.to_string()).chain(causes(error)).collect();
    texts.join(": ")
}

#[cfg(test)]
mod tests {
    use std::error::Error;
    use std::fmt;

    use super::{causes, chain};

    #[derive(Debug)]
    struct Because(&'static str, Option<Box<Because>>);

    impl fmt::Display for Because {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }
    }

    impl Error for Because {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            self.1.as_deref().map(|cause| cause as &(dyn Error + 'static))
        }
    }

    #[test]
    fn what_was_said_above_is_not_said_again() {
        let because = |text, cause| Because(text, Some(Box::new(cause)));
        let low = because("cannot write `a`: the disk is full", Because("the disk is full", None));
        let top = because("cannot write `a`: the disk is full", low);
        assert_eq!(causes(&top), Vec::<String>::new());

        let low = because("cannot write `a`", Because("the disk is full", None));
        assert_eq!(causes(&low), ["the disk is full"]);
        assert_eq!(chain(&low), "cannot write `a`: the disk is full");
    }
}
