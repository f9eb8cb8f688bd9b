//! Types, as `docs.json` spells them.

use std::fmt;

use super::docs::{BadDocs, shown};

/// How deep a type may be.
const DEEPEST: usize = 100;

/// The longest type that is read, in bytes.
const LONGEST: usize = 256 << 10;

/// A type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Type {
    /// A variable: `a`, `comparable`.
    Var(String),
    /// From one to another: `a -> b`.
    Function(Box<Type>, Box<Type>),
    /// A name with what it is applied to: `Dict.Dict String.String a`.
    Named(String, Vec<Type>),
    /// `{ a | name : String.String }`
    Record(Option<String>, Vec<(String, Type)>),
    /// `( a, b )`; `()` where there is nothing in it.
    Tuple(Vec<Type>),
}

impl Type {
    pub(super) fn parse(text: &str) -> Result<Self, BadDocs> {
        let bad = || BadDocs(format!("`{}` is no type", shown(text)));
        if text.len() > LONGEST {
            return Err(bad());
        }
        let mut reader = Reader { rest: text };
        let read = reader.whole(0).filter(|_| reader.token().is_empty());
        read.ok_or_else(bad)
    }

    /// As it is written behind a name that is applied to it.
    pub(super) fn as_argument(&self) -> String {
        match self {
            Self::Function(..) => format!("({self})"),
            Self::Named(_, given) if !given.is_empty() => format!("({self})"),
            _ => self.to_string(),
        }
    }
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    /// The next word or sign; empty at the end.
    fn token(&self) -> &'a str {
        let rest = self.rest.trim_start();
        let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
        let end = match rest.chars().next() {
            None => 0,
            Some(_) if rest.starts_with("->") => 2,
            Some(first) if is_part(first) => rest.find(|c| !is_part(c)).unwrap_or(rest.len()),
            Some(first) => first.len_utf8(),
        };
        &rest[..end]
    }

    fn take(&mut self) -> &'a str {
        let token = self.token();
        self.rest = &self.rest.trim_start()[token.len()..];
        token
    }

    fn takes(&mut self, sign: &str) -> bool {
        let is_next = self.token() == sign;
        if is_next {
            self.take();
        }
        is_next
    }

    fn whole(&mut self, depth: usize) -> Option<Type> {
        if depth > DEEPEST {
            return None;
        }
        let from = self.applied(depth)?;
        if !self.takes("->") {
            return Some(from);
        }
        Some(Type::Function(Box::new(from), Box::new(self.whole(depth + 1)?)))
    }

    fn applied(&mut self, depth: usize) -> Option<Type> {
        let mut first = self.single(depth)?;
        if let Type::Named(_, given) = &mut first {
            while self.token().starts_with(|c: char| c.is_alphabetic() || c == '(' || c == '{') {
                given.push(self.single(depth + 1)?);
            }
        }
        Some(first)
    }

    /// A type that stands for itself: a name that is applied to nothing yet, or something in brackets.
    fn single(&mut self, depth: usize) -> Option<Type> {
        let token = self.take();
        let first = token.chars().next()?;
        if first.is_uppercase() {
            Some(Type::Named(token.to_owned(), Vec::new()))
        } else if first.is_lowercase() {
            Some(Type::Var(token.to_owned()))
        } else if token == "(" {
            self.brackets(depth)
        } else if token == "{" {
            self.record(depth)
        } else {
            None
        }
    }

    fn brackets(&mut self, depth: usize) -> Option<Type> {
        if self.takes(")") {
            return Some(Type::Tuple(Vec::new()));
        }
        let mut inside = vec![self.whole(depth + 1)?];
        while self.takes(",") {
            inside.push(self.whole(depth + 1)?);
        }
        if !self.takes(")") {
            return None;
        }
        // What is only in brackets, and applied to nothing more, is itself.
        if inside.len() == 1 { inside.pop() } else { Some(Type::Tuple(inside)) }
    }

    fn record(&mut self, depth: usize) -> Option<Type> {
        if self.takes("}") {
            return Some(Type::Record(None, Vec::new()));
        }
        let mut first = self.take().to_owned();
        let mut extended = None;
        if self.takes("|") {
            extended = Some(std::mem::replace(&mut first, self.take().to_owned()));
        }
        let mut fields = Vec::new();
        let mut name = first;
        loop {
            let is_name = name.starts_with(char::is_lowercase);
            if !is_name || !self.takes(":") {
                return None;
            }
            fields.push((name, self.whole(depth + 1)?));
            if self.takes("}") {
                return Some(Type::Record(extended, fields));
            }
            if !self.takes(",") {
                return None;
            }
            name = self.take().to_owned();
        }
    }
}

impl fmt::Display for Type {
    /// As people write it: without the modules that names come from.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Var(name) => f.write_str(name),
            Self::Function(from, to) => match **from {
                Self::Function(..) => write!(f, "({from}) -> {to}"),
                _ => write!(f, "{from} -> {to}"),
            },
            Self::Named(name, given) => {
                f.write_str(name.rsplit('.').next().unwrap_or(name))?;
                given.iter().try_for_each(|one| write!(f, " {}", one.as_argument()))
            }
            Self::Tuple(parts) if parts.is_empty() => f.write_str("()"),
            Self::Tuple(parts) => {
                let parts: Vec<String> = parts.iter().map(ToString::to_string).collect();
                write!(f, "( {} )", parts.join(", "))
            }
            Self::Record(None, fields) if fields.is_empty() => f.write_str("{}"),
            Self::Record(extended, fields) => {
                let fields: Vec<String> = fields.iter().map(|(name, is)| format!("{name} : {is}")).collect();
                let extended = extended.as_ref().map(|name| format!("{name} | ")).unwrap_or_default();
                write!(f, "{{ {extended}{} }}", fields.join(", "))
            }
        }
    }
}
