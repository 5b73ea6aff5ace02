//! HTML under construction. Markup is `&'static str`, so what is not known when the program is compiled comes in
//! escaped or not at all.

use std::fmt::Display;

#[derive(Default, Debug)]
pub struct Html(String);

impl Html {
    pub fn of(markup: &'static str) -> Html {
        Html(markup.to_owned())
    }

    /// Of the program's own text.
    pub fn raw(&mut self, markup: &'static str) -> &mut Html {
        self.0.push_str(markup);
        self
    }

    /// Escaped, for text and for attributes in double quotes.
    pub fn text(&mut self, text: impl Display) -> &mut Html {
        for c in text.to_string().chars() {
            match c {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                '\t' | '\n' => self.0.push(c),
                c if c.is_control() => self.0.push('\u{fffd}'),
                c => self.0.push(c),
            }
        }
        self
    }

    pub fn add(&mut self, part: Html) -> &mut Html {
        self.0.push_str(&part.0);
        self
    }

    /// `<p class="…">…</p>` and its like; `open` is the tag without its brackets.
    pub fn tag(&mut self, open: &'static str, text: impl Display) -> &mut Html {
        let name = open.split(' ').next().unwrap_or(open);
        self.raw("<").raw(open).raw(">").text(text).raw("</").raw(name).raw(">")
    }

    /// A link within the pages.
    pub fn link(&mut self, href: impl Display, text: impl Display) -> &mut Html {
        self.raw("<a href=\"").text(href).raw("\">").text(text).raw("</a>")
    }

    /// A link to the world; no link where the address is not one of the web.
    pub fn outside(&mut self, url: &str, text: impl Display) -> &mut Html {
        if !["http://", "https://"].iter().any(|scheme| url.starts_with(scheme)) {
            return self.text(text);
        }
        self.raw("<a rel=\"noreferrer noopener external\" href=\"").text(url).raw("\">").text(text).raw("</a>")
    }

    pub fn into_string(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::Html;

    #[test]
    fn what_comes_in_cannot_be_markup() {
        let mut html = Html::of("<p title=\"");
        html.text("\"><script>").raw("\">").text("a & b's\u{0}\u{1b}[31m").raw("</p>");
        assert_eq!(html.into_string(), "<p title=\"&quot;&gt;&lt;script&gt;\">a &amp; b&#39;s\u{fffd}\u{fffd}[31m</p>");
        let mut html = Html::default();
        html.outside("javascript:alert(1)", "x").outside("https://a.example/?\"", "y");
        let wanted = "x<a rel=\"noreferrer noopener external\" href=\"https://a.example/?&quot;\">y</a>";
        assert_eq!(html.into_string(), wanted);
        let mut html = Html::default();
        html.tag("p class=\"x\"", 1.5);
        assert_eq!(html.into_string(), "<p class=\"x\">1.5</p>");
    }
}
