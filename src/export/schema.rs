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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::tests::{add_copy, config, rows, tree};
    use crate::store::tests::{at, keep, open};

    /// What is wrong with a value, by the keywords that these schemas use; any other keyword is a mistake.
    fn wrong(root: &Value, schema: &Value, value: &Value, at: &str, out: &mut Vec<String>) {
        for (keyword, rule) in schema.as_object().unwrap() {
            let good = match keyword.as_str() {
                "$ref" => {
                    let pointer = rule.as_str().unwrap().trim_start_matches('#');
                    wrong(root, root.pointer(pointer).unwrap(), value, at, out);
                    true
                }
                "properties" => {
                    for (name, part) in rule.as_object().unwrap() {
                        let Some(inner) = value.get(name) else { continue };
                        wrong(root, part, inner, &format!("{at}/{name}"), out);
                    }
                    value.as_object().is_none_or(|object| object.keys().all(|name| rule.get(name).is_some()))
                }
                "items" => {
                    value.as_array().into_iter().flatten().for_each(|item| wrong(root, rule, item, at, out));
                    true
                }
                "anyOf" | "oneOf" => rule.as_array().unwrap().iter().any(|part| {
                    let mut found = Vec::new();
                    wrong(root, part, value, at, &mut found);
                    found.is_empty()
                }),
                "type" => rule.as_array().unwrap_or(&vec![rule.clone()]).iter().any(|kind| is(value, kind)),
                "required" => rule.as_array().unwrap().iter().all(|name| value.get(name.as_str().unwrap()).is_some()),
                "const" => value == rule,
                "enum" => rule.as_array().unwrap().contains(value),
                "minimum" => value.as_f64().is_none_or(|number| number >= rule.as_f64().unwrap()),
                "format" => value.as_str().is_none_or(|text| match rule.as_str().unwrap() {
                    "date-time" => chrono::DateTime::parse_from_rfc3339(text).is_ok(),
                    "uri" => url::Url::parse(text).is_ok(),
                    other => panic!("{at}: the format {other}"),
                }),
                "$schema" | "$defs" | "title" | "description" => true,
                other => panic!("{at}: the keyword {other}"),
            };
            if !good {
                out.push(format!("{at}: {keyword} {rule}: {value}"));
            }
        }
    }

    fn is(value: &Value, kind: &Value) -> bool {
        match kind.as_str().unwrap() {
            "object" => value.is_object(),
            "array" => value.is_array(),
            "string" => value.is_string(),
            "integer" => value.is_u64() || value.is_i64(),
            "number" => value.is_number(),
            "null" => value.is_null(),
            other => panic!("the type {other}"),
        }
    }

    /// Every object of every file that has a schema, with the schema's name.
    fn objects(files: &crate::export::tests::Tree) -> Vec<(&'static str, Value)> {
        let mut out = Vec::new();
        for (path, bytes) in files {
            let name = match path.split_once('/').map_or(path.as_str(), |(folder, _)| folder) {
                "articles" if path.ends_with(".json") => "article.schema.json",
                "daily" => "article.schema.json",
                "changes" if path.ends_with(".jsonl") => "change.schema.json",
                "manifest.json" => "manifest.schema.json",
                _ => continue,
            };
            let values = serde_json::Deserializer::from_slice(bytes).into_iter();
            out.extend(values.map(|value| (name, value.unwrap())));
        }
        out
    }

    #[test]
    fn every_file_is_as_its_schema_says() {
        let (dir, store) = open();
        for n in 1..=3 {
            keep(&store, n, "Tin", at(0));
        }
        add_copy(&store, 1, 2);
        crate::export::catch_up(&store, &config(dir.path()), &rows()).unwrap();
        let schemas = schemas();
        let objects = objects(&tree(&dir.path().join("out")));
        for (name, value) in &objects {
            let (_, schema) = schemas.iter().find(|(known, _)| known == name).unwrap();
            let problems = |value: &Value| {
                let mut found = Vec::new();
                wrong(schema, schema, value, name, &mut found);
                found
            };
            assert_eq!(problems(value), Vec::<String>::new());
            // each name is said to be required, and none is of every type
            for key in value.as_object().unwrap().keys() {
                let mut less = value.clone();
                less.as_object_mut().unwrap().remove(key);
                assert_ne!(problems(&less), Vec::<String>::new(), "{name} without {key}");
                less[key.as_str()] = serde_json::json!({ "other": true });
                assert_ne!(problems(&less), Vec::<String>::new(), "{name} with another {key}");
            }
        }
        assert_eq!(objects.len(), 3 + 3 + 4 + 1);
    }
}
