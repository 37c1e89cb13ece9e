//! One cause a file; each file's doc comment is what `explain` prints.

use crate::model::Code;

/// The documentation of a cause, in Markdown.
pub const fn explanation(code: Code) -> &'static str {
    code.title()
}
