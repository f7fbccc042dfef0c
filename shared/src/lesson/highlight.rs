use crate::trace::text::Terminal;
use anstyle::{AnsiColor, Style};
use ra_ap_rustc_lexer::{FrontmatterAllowed, LiteralKind, TokenKind, tokenize};

/// Rust code in colour, by the compiler's own lexer.
pub(super) fn highlight(code: &str, terminal: Terminal) -> String {
    let mut rest = code;
    let mut out = String::new();
    for token in tokenize(code, FrontmatterAllowed::No) {
        let (text, after) = rest.split_at(token.len as usize);
        rest = after;
        match style(token.kind, text, after) {
            // Lines are painted one by one: a style does not outlive its line.
            Some(style) => {
                let lines =
                    text.split('\n').map(|line| terminal.paint(style, line));
                out += &lines.collect::<Vec<_>>().join("\n");
            }
            None => out += text,
        }
    }
    out
}

fn style(kind: TokenKind, text: &str, after: &str) -> Option<Style> {
    let colour = match kind {
        TokenKind::LineComment { .. } | TokenKind::BlockComment { .. } => {
            AnsiColor::BrightBlack
        }
        TokenKind::Literal { kind, .. } => match kind {
            LiteralKind::Int { .. } | LiteralKind::Float { .. } => {
                AnsiColor::Yellow
            }
            _ => AnsiColor::Green,
        },
        TokenKind::Lifetime { .. } => AnsiColor::Yellow,
        TokenKind::Ident if KEYWORDS.contains(&text) => AnsiColor::Magenta,
        TokenKind::Ident
            if text.starts_with(|c: char| c.is_ascii_uppercase()) =>
        {
            AnsiColor::Cyan
        }
        TokenKind::Ident if after.starts_with(['(', '!']) => {
            AnsiColor::BrightBlue
        }
        _ => return None,
    };
    Some(colour.on_default())
}

/// Strict keywords, The Rust Reference, "Keywords".
const KEYWORDS: [&str; 39] = [
    "as", "async", "await", "break", "const", "continue", "crate", "dyn",
    "else", "enum", "extern", "false", "fn", "for", "if", "impl", "in", "let",
    "loop", "match", "mod", "move", "mut", "pub", "ref", "return", "self",
    "Self", "static", "struct", "super", "trait", "true", "type", "unsafe",
    "use", "where", "while", "yield",
];

#[cfg(test)]
mod tests {
    use super::*;

    const TERMINAL: Terminal =
        Terminal { width: 80, unicode: true, colour: true };

    #[test]
    fn only_colour_is_added() {
        let code = "fn sit<'a>(n: &'a u8) -> Seat {\n    // why\n    say!(\"a\\nb\", 'c', 1.5)\n}";
        let coloured = highlight(code, TERMINAL);
        assert!(coloured.contains("\u{1b}["));
        assert_eq!(anstream::adapter::strip_str(&coloured).to_string(), code);
        let plain = Terminal { colour: false, ..TERMINAL };
        assert_eq!(highlight(code, plain), code);
    }
}
