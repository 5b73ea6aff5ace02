//! JSON Schemas (2020-12) of what the folder holds.

use crate::export::article::Exported;
use crate::export::manifest::Manifest;
use crate::store::Logged;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::Value;

/// By the names of their files in the folder `schema`.
pub fn schemas() -> Vec<(&'static str, Value)> {
    vec![
        ("article.schema.json", schema::<Exported>("diemtin article")),
        ("change.schema.json", schema::<Logged>("diemtin change")),
        ("manifest.schema.json", schema::<Manifest>("diemtin manifest")),
    ]
}

fn schema<T: JsonSchema>(title: &str) -> Value {
    let generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
    let mut schema = generator.into_root_schema_for::<T>();
    schema.insert("title".to_owned(), title.into());
    schema.to_value()
}
