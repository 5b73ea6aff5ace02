//! Which lines are captions of pictures.

use super::byline::{ends_in_credit, is_credit};
use super::chrome::{Case, Fate};
use super::density::{ends_sentence, is_text};
use super::page::{Align, Shape};
use super::signs::CAPTION;

impl Case<'_, '_> {
    /// Of a figure, named so, or set off under a picture.
    pub fn captions(&mut self) {
        let mut after_image = false;
        let centered = self.mostly_centered();
        for n in self.inside() {
            let line = self.line(n);
            if line.shape == Shape::Image {
                after_image = true;
                continue;
            }
            if let Some(why) = self.caption_rule(n, after_image, centered) {
                let credit = is_credit(&line.text);
                self.fates[n] = if credit { Fate::Dropped("a photo credit") } else { Fate::Caption(why) };
                // A second line of the caption may name the photographer.
                after_image &= !credit;
            } else {
                after_image = false;
            }
        }
    }

    /// Where everything is centered, that sets nothing off.
    fn mostly_centered(&self) -> bool {
        let inside = self.inside();
        let text = |n: &&usize| is_text(self.line(**n));
        let centered = inside.iter().filter(text).filter(|&&n| self.line(n).align == Align::Center).count();
        centered * 3 > inside.iter().filter(text).count()
    }

    fn caption_rule(&self, n: usize, after_image: bool, centered: bool) -> Option<&'static str> {
        let line = self.line(n);
        if matches!(line.shape, Shape::Caption { .. }) {
            return Some("a figure's caption");
        }
        if line.chars < 500 && self.signs_around(n) & CAPTION != 0 {
            return Some("named a caption");
        }
        if is_credit(&line.text) {
            return Some("");
        }
        if !after_image || line.chars > 350 || matches!(line.shape, Shape::Heading(_)) {
            return None;
        }
        if ends_in_credit(&line.text) {
            return Some("under a picture, with a credit");
        }
        let set_off = (line.align == Align::Center && !centered) || line.italic * 10 >= line.chars * 8;
        let bold = line.bold * 10 >= line.chars * 9;
        if set_off && (!bold || line.italic > 0) {
            return Some("under a picture, set off");
        }
        let plain = !ends_sentence(&line.text) && !bold && line.linked == 0 && line.chars > 15;
        (plain && line.shape == Shape::Paragraph).then_some("under a picture, no sentence")
    }
}
