//! From one schema to the next. Each step may be killed and is then done again from its beginning.

use crate::article::plain;
use crate::dedup::Print;
use crate::store::articles::shelves;
use crate::store::trees::{SCHEMA, VOLUME};
use crate::store::{Kept, Past, Result, Store, StoreError, record};

impl Store {
    /// Brings a store of an older program to the schema of this one.
    pub(super) fn migrate(&self, found: u32) -> Result<()> {
        match found {
            SCHEMA => Ok(()),
            0 => {
                self.place_articles()?;
                self.put_note(VOLUME, &self.measured()?)?;
                self.put_note("schema", &1_u32)?;
                self.migrate(1)
            }
            1 => {
                self.print_articles()?;
                self.put_note("schema", &2_u32)?;
                self.migrate(2)
            }
            _ => {
                let path = self.path().display().to_string();
                Err(StoreError::Schema { path, found, wanted: SCHEMA })
            }
        }
    }

    /// Schema 1 had prints in JSON. They are made again of the articles; those of articles that were let go cannot be, so
    /// they go.
    fn print_articles(&self) -> Result<()> {
        self.forget_past()?;
        for item in self.articles() {
            let (key, Kept { article, .. }) = item?;
            let prints = record::pack_prints(&[Print::of(&article.title, &plain(&article.blocks))])?;
            let _one = self.write();
            self.transaction(|trees| record::put(&trees.prints, &key.to_be_bytes(), &prints))?;
        }
        Ok(())
    }

    fn forget_past(&self) -> Result<()> {
        for item in self.records::<Past>("past", &self.trees.past, 0) {
            let key = item?.0.to_be_bytes();
            let _one = self.write();
            self.transaction(|trees| {
                record::remove(&trees.past, &key)?;
                record::remove(&trees.prints, &key)
            })?;
        }
        Ok(())
    }

    /// Schema 0 had no shelves and did not count. The number is written last.
    fn place_articles(&self) -> Result<()> {
        for item in self.articles() {
            let (key, kept) = item?;
            let pointer = record::pack(&key)?;
            let places = shelves(&kept.article, key);
            let _one = self.write();
            self.transaction(|trees| {
                record::put(&trees.ids, kept.article.id.as_str().as_bytes(), &pointer)?;
                places.iter().try_for_each(|place| trees.shelves.insert(place.as_slice(), &[]).map(drop))?;
                Ok(())
            })?;
        }
        Ok(())
    }
}
