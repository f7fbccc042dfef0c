//! A file of a lesson, and what it declares.

use ra_ap_rustc_lexer::{FrontmatterAllowed, TokenKind, tokenize};

/// The module that is the whole crate.
const MAIN: &str = "main";

/// A file below `src`.
pub(super) struct Module {
    name: String,
    /// Its `use` declarations, as words and signs.
    imports: Vec<Vec<String>>,
    items: Vec<Item>,
}

/// A function, a type or another item of a file.
struct Item {
    name: String,
    /// With its comment.
    text: String,
    /// Its words and signs.
    tokens: Vec<String>,
}

impl Module {
    /// The file `name`.rs, without what has one of the names `other_than`. An
    /// item ends at the first line that is `}`, or that ends a declaration.
    pub fn of(name: &str, text: &str, other_than: &[&str]) -> Self {
        let (mut items, mut imports) = (Vec::new(), Vec::new());
        let mut lines = Vec::<&str>::new();
        for line in text.lines() {
            if line.is_empty() && lines.iter().all(|line| is_comment(line)) {
                lines.clear();
            } else {
                lines.push(line);
            }
            let closes = line == "}" || line == "};" || line == "];";
            let declares = !line.starts_with(' ') && line.ends_with(';');
            if closes || declares {
                let lines = std::mem::take(&mut lines);
                let text = lines.join("\n");
                let tokens = tokens(&text);
                if tokens.iter().take(2).any(|token| token == "use") {
                    imports.push(tokens);
                    continue;
                }
                let name = lines.iter().find_map(|line| declared(line));
                items.extend(name.map(|name| Item { name, text, tokens }));
            }
        }
        items.retain(|item| !other_than.contains(&item.name.as_str()));
        Self { name: name.to_owned(), imports, items }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The texts of the items of `modules` that `code` of this module names,
    /// and of those that they name, in the order of the files.
    pub fn used_by(&self, code: &str, modules: &[Self]) -> Vec<String> {
        let code = tokens(code);
        let mut used: Vec<(usize, usize)> = Vec::new();
        let mut waiting = vec![(self, code.as_slice())];
        while let Some((from, code)) = waiting.pop() {
            for (at, module) in modules.iter().enumerate() {
                for (number, item) in module.items.iter().enumerate() {
                    if !used.contains(&(at, number))
                        && from.names(code, module, &item.name)
                    {
                        used.push((at, number));
                        waiting.push((module, &item.tokens));
                    }
                }
            }
        }
        used.sort_unstable();
        let used = used.into_iter();
        used.map(|(at, item)| modules[at].items[item].text.clone()).collect()
    }

    /// Whether `code` of this module names what `other` has as `name`: not in
    /// a text, not as a field, a method or something of a type, and by itself
    /// only here or where it was imported.
    fn names(&self, code: &[String], other: &Self, name: &str) -> bool {
        let token = |at: usize| code.get(at).map_or("", String::as_str);
        let before = |at: usize, back| at.checked_sub(back).map_or("", token);
        let is_it = |at: usize| {
            let function = !name.starts_with(char::is_uppercase);
            let next = token(at + 1);
            let field = next == ":" || before(at, 1) == ".";
            let module = function && next == "::";
            let found = match before(at, 1) {
                "::" => other.is_called(before(at, 2)),
                _ => self.name == other.name || self.imports(other, name),
            };
            token(at) == name && found && !field && !module
        };
        (0..code.len()).any(is_it)
    }

    /// Whether what `other` has as `name` was imported here.
    fn imports(&self, other: &Self, name: &str) -> bool {
        self.imports.iter().any(|import| {
            import.iter().any(|token| token == name)
                && import.iter().any(|token| other.is_called(token))
        })
    }

    fn is_called(&self, path: &str) -> bool {
        let main = ["crate", "super"].contains(&path) && self.name == MAIN;
        path == self.name || main
    }
}

/// The words and the signs of `code`, without texts and comments.
pub(super) fn tokens(code: &str) -> Vec<String> {
    let mut rest = code;
    let mut found: Vec<String> = Vec::new();
    for token in tokenize(code, FrontmatterAllowed::No) {
        let (text, after) = rest.split_at(token.len as usize);
        rest = after;
        let colons = found.last().is_some_and(|last| last == ":");
        match token.kind {
            TokenKind::Literal { .. }
            | TokenKind::Whitespace
            | TokenKind::LineComment { .. }
            | TokenKind::BlockComment { .. } => {}
            TokenKind::Colon if colons => {
                found.pop();
                found.push("::".to_owned());
            }
            _ => found.push(text.to_owned()),
        }
    }
    found
}

fn is_comment(line: &str) -> bool {
    line.starts_with("//")
}

/// The name of the item that a line declares; of an `impl`, that of its type.
fn declared(line: &str) -> Option<String> {
    let line = line.strip_prefix("pub ").unwrap_or(line);
    let line = line.strip_prefix("async ").unwrap_or(line);
    let (kind, rest) = line.split_once([' ', '<'])?;
    let name = match kind {
        "fn" | "struct" | "enum" | "const" | "static" | "type" | "trait" => {
            words(rest).next()
        }
        // impl<'a> Name<'a> {, impl Trait for Name {
        "impl" => {
            let rest = rest.split_once(" for ").map_or(rest, |(_, name)| name);
            words(rest).find(|word| word.starts_with(char::is_uppercase))
        }
        _ => None,
    };
    name.map(str::to_owned)
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    text.split(move |c| !word(c)).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_called_is_found_by_what_it_is() {
        let import = "use tools::{Service, start};\n";
        let main = Module::of("main", import, &[]);
        let bare = Module::of("main", "", &[]);
        let tools = Module::of("tools", "", &[]);
        let named =
            |name: &str, code: &str| main.names(&tokens(code), &tools, name);
        for code in ["start()", "tools::start(1)", "map(start)"] {
            assert!(named("start", code), "{code}");
        }
        for code in [
            "Service::start()", "self.start()", "Limits { start: 1 }",
            "say(\"start\")", "1 // start", "restart()", "start::all()",
            "others::start()",
        ] {
            assert!(!named("start", code), "{code}");
        }
        assert!(named("Service", "Service::start()"));
        assert!(named("Service", "x: &Service"));
        assert!(!named("Service", "Kind::Service"));
        // It is another one that was not imported.
        assert!(!bare.names(&tokens("start()"), &tools, "start"));
        assert!(bare.names(&tokens("start()"), &bare, "start"));
        assert!(tools.names(&tokens("crate::start()"), &main, "start"));
    }

    #[test]
    fn coroutines_are_helpers_too() {
        for line in [
            "fn rest() {", "pub fn rest() {", "async fn rest(",
            "pub async fn rest<T>(",
        ] {
            assert_eq!(declared(line).as_deref(), Some("rest"), "{line}");
        }
    }
}
