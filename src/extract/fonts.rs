//! Vietnamese of before Unicode, written as Latin letters that a font shows as others: `<font face=".VnTime">`.

use crate::text::from_font;
use memchr::memmem::find_iter;
use scraper::{Html, Node};
use std::collections::HashMap;

/// So many letters beyond ASCII say by themselves how they are to be read.
const TELLING: usize = 5;
/// What every name of such a font begins with or contains.
const NAMES: [&str; 3] = [".vn", "vni", "viscii"];

/// Texts under an old font's name are read as the font shows them. A name alone is no proof: an editor leaves it where a
/// text has long been Unicode, so short texts follow what all of the page under that name says.
pub fn read(html: &mut Html) {
    let mut texts = Vec::new();
    for node in html.tree.nodes() {
        if let Some(text) = node.value().as_text().filter(|text| !text.is_ascii()) {
            let face = node.ancestors().find_map(|around| face(around.value()));
            texts.extend(face.map(|face| (node.id(), face, text.to_string())));
        }
    }
    let mut faces: HashMap<&str, String> = HashMap::new();
    for (_, face, text) in &texts {
        faces.entry(face).or_default().extend([text.as_str(), " "]);
    }
    faces.retain(|face, all| from_font(all, face).is_some());
    for (id, face, text) in &texts {
        let follows = faces.contains_key(face.as_str()) || text.chars().filter(|c| !c.is_ascii()).count() >= TELLING;
        let shown = from_font(text, face).filter(|_| follows);
        if let (Some(shown), Some(mut node)) = (shown, html.tree.get_mut(*id))
            && let Node::Text(text) = node.value()
        {
            text.text = shown.as_str().into();
        }
    }
}

/// The font that an element names, if its name is like one of those.
fn face(node: &Node) -> Option<String> {
    let element = node.as_element()?;
    let style = || {
        let style = element.attr("style")?.to_ascii_lowercase();
        let (_, after) = style.split_once("font-family")?;
        Some(after.trim_start_matches([':', ' ']).split(';').next()?.to_owned())
    };
    let named = if element.name() == "font" { element.attr("face").map(str::to_ascii_lowercase) } else { None };
    named.or_else(style)
}

/// Whether [`read`] may find anything.
pub fn any(html: &str) -> bool {
    let named = |n: usize| {
        let after: String = html[n..].chars().take(60).collect::<String>().to_ascii_lowercase();
        NAMES.iter().any(|name| after.contains(name))
    };
    ["face", "font-family", "FACE"].iter().any(|name| find_iter(html.as_bytes(), name).any(named))
}

#[cfg(test)]
mod tests {
    use crate::article::{Page, plain};
    use crate::extract::extract;

    fn text(body: &str) -> String {
        let html = format!(
            "<html><title>Dân vận khéo ở xã Tân Lập</title><h1>Dân vận khéo ở xã Tân Lập</h1><div>{body}</div>"
        );
        let url = "https://example.vn/tin/bai.html".parse().unwrap();
        let page = Page { url, content_type: Some("text/html; charset=utf-8".into()), body: html.into_bytes() };
        plain(&extract(&page, None, None, "2024-06-01T00:00:00Z".parse().unwrap()).unwrap().blocks)
    }

    /// `®¶ng viªn` in TCVN3's fonts is *đảng viên*.
    #[test]
    fn what_an_old_font_shows_is_what_is_read() {
        let tcvn3 = "<p><font face='.VnTime'>S¸ng nay, c¸n bé d©n vËn x· häp víi <b>®¶ng</b> viªn vµ nh©n d©n trong th«n ®Ó bµn viÖc më réng ®\u{ad}êng lµng, cã h¬n mét tr¨m ng\u{ad}êi dù.</font></p>";
        assert_eq!(
            text(tcvn3),
            "Sáng nay, cán bộ dân vận xã họp với đảng viên và nhân dân trong thôn để bàn việc mở rộng đường làng, có hơn một trăm người dự."
        );
        let vni = "<p style='font-family: VNI-Times'>Saùng nay, caùn boä daân vaän xaõ hoïp vôùi ñaûng vieân vaø nhaân daân trong thoân ñeå baøn vieäc môû roäng ñöôøng laøng, coù hôn moät traêm ngöôøi döï.</p>";
        assert_eq!(text(vni), text(tcvn3));
    }

    #[test]
    fn a_face_left_on_a_text_that_is_unicode_changes_nothing() {
        let long = "Sáng nay, cán bộ dân vận xã họp với đảng viên trong thôn để bàn việc mở rộng đường làng, có hơn một trăm người dự.";
        let left =
            format!("<p><font face='.VnTime'>{long}</font> <font face='.VnTime'>và</font> dân làng cùng nghe.</p>");
        assert_eq!(text(&left), format!("{long} và dân làng cùng nghe."));
    }
}
