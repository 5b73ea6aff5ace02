//! One poll of one site: the whole path on one page.
