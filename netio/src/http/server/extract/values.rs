//! Values that come as text with names, for serde.
//!
//! A text becomes whatever its place asks for: a number if it can be one, an option that is there, a variant of that name. So
//! nothing depends on what a text looks like.

use serde::{
    de::{self, DeserializeSeed, Deserializer, IntoDeserializer, Visitor, value::StrDeserializer},
    forward_to_deserialize_any,
};
use smallvec::SmallVec;
use std::{borrow::Cow, fmt};

/// What stands under one name: one text or more.
struct Value<'t> {
    name: Cow<'t, str>,
    /// The one that counts, where only one does.
    text: Cow<'t, str>,
    others: Vec<Cow<'t, str>>,
}

/// What stands under all the names.
pub(super) struct Values<'t>(SmallVec<[Value<'t>; 1]>);

#[derive(Debug)]
pub(super) struct Error {
    /// The name, once it is known.
    name: Option<String>,
    reason: String,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.name.iter().try_for_each(|name| write!(f, "`{name}`: "))?;
        f.write_str(&self.reason)
    }
}

impl std::error::Error for Error {}

impl de::Error for Error {
    fn custom<T: fmt::Display>(reason: T) -> Self {
        Error { name: None, reason: reason.to_string() }
    }
}

impl<'t> Value<'t> {
    fn new(name: Cow<'t, str>, text: Cow<'t, str>) -> Self {
        Value { name, text, others: Vec::new() }
    }

    fn named<T>(name: &str, result: Result<T, Error>) -> Result<T, Error> {
        result.map_err(|error| Error { name: error.name.or_else(|| Some(name.to_owned())), reason: error.reason })
    }
}

impl<'t> Values<'t> {
    /// One text for each name, in their order.
    pub(super) fn distinct(pairs: impl Iterator<Item = (&'t str, Cow<'t, str>)>) -> Self {
        let mut values = SmallVec::new();
        pairs.for_each(|(name, text)| values.push(Value::new(name.into(), text)));
        Values(values)
    }

    /// Texts of the same name come together, in the order in which they came; the names are sorted.
    pub(super) fn grouped(pairs: impl Iterator<Item = (Cow<'t, str>, Cow<'t, str>)>) -> Self {
        let mut pairs: Vec<_> = pairs.collect();
        pairs.sort_by(|(one, _), (other, _)| one.cmp(other));
        let mut values = SmallVec::<[Value; 1]>::with_capacity(pairs.len());
        for (name, text) in pairs {
            match values.last_mut() {
                Some(last) if last.name == name => last.others.push(text),
                _ => values.push(Value::new(name, text)),
            }
        }
        Values(values)
    }

    /// The only one there is, for what is no collection.
    fn only(mut self) -> Result<Value<'t>, Error> {
        match self.0.len() {
            1 => Ok(self.0.pop().expect("there is one")),
            number => Err(de::Error::custom(format_args!("one value is wanted, and there are {number}"))),
        }
    }
}

/// What a text is parsed into.
macro_rules! parsed {
    ($($method:ident $visit:ident $Type:ty)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            match self.text.parse::<$Type>() {
                Ok(value) => visitor.$visit(value),
                Err(error) => Err(de::Error::custom(format_args!("it cannot be {:?}: {error}", self.text))),
            }
        })*
    };
}

impl<'de> Deserializer<'de> for Value<'_> {
    type Error = Error;

    parsed! {
        deserialize_bool visit_bool bool
        deserialize_i8 visit_i8 i8
        deserialize_i16 visit_i16 i16
        deserialize_i32 visit_i32 i32
        deserialize_i64 visit_i64 i64
        deserialize_i128 visit_i128 i128
        deserialize_u8 visit_u8 u8
        deserialize_u16 visit_u16 u16
        deserialize_u32 visit_u32 u32
        deserialize_u64 visit_u64 u64
        deserialize_u128 visit_u128 u128
        deserialize_f32 visit_f32 f32
        deserialize_f64 visit_f64 f64
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.text {
            Cow::Borrowed(text) => visitor.visit_str(text),
            Cow::Owned(text) => visitor.visit_string(text),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let Value { name, text, others } = self;
        let values = [text].into_iter().chain(others).map(|text| Value::new(name.clone(), text));
        visitor.visit_seq(Items(values.collect::<SmallVec<_>>().into_iter()))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let variant: StrDeserializer<'_, Error> = (*self.text).into_deserializer();
        visitor.visit_enum(variant)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        char str string bytes byte_buf unit_struct tuple tuple_struct map struct identifier
    }
}

/// For what is no collection, the only value there is.
macro_rules! only {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            let value = self.only()?;
            let name = value.name.clone();
            Value::named(&name, value.$method(visitor))
        })*
    };
}

impl<'de> Deserializer<'de> for Values<'_> {
    type Error = Error;

    only! {
        deserialize_bool deserialize_char deserialize_str deserialize_string deserialize_bytes deserialize_byte_buf
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
        deserialize_f32 deserialize_f64
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_map(Items(self.0.into_iter()))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.0.is_empty() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_seq(Items(self.0.into_iter()))
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, wanted: usize, visitor: V) -> Result<V::Value, Error> {
        match self.0.len() {
            number if number == wanted => self.deserialize_seq(visitor),
            number => Err(de::Error::custom(format_args!("{wanted} values are wanted, and there are {number}"))),
        }
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        wanted: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_tuple(wanted, visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        enumeration: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let value = self.only()?;
        let name = value.name.clone();
        Value::named(&name, value.deserialize_enum(enumeration, variants, visitor))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! { unit_struct map struct identifier }
}

/// Values one after the other: for a sequence themselves, for a map behind their names.
struct Items<'t>(smallvec::IntoIter<[Value<'t>; 1]>);

impl<'de> de::SeqAccess<'de> for Items<'_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        let Some(value) = self.0.next() else { return Ok(None) };
        let name = value.name.clone();
        Value::named(&name, seed.deserialize(value)).map(Some)
    }
}

impl<'de> de::MapAccess<'de> for Items<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        let Some(value) = self.0.as_slice().first() else { return Ok(None) };
        let name = Value::new(value.name.clone(), value.name.clone());
        Value::named(&value.name, seed.deserialize(name)).map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Error> {
        let value = self.0.next().expect("its name came before it");
        let name = value.name.clone();
        Value::named(&name, seed.deserialize(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use std::collections::BTreeMap;

    fn read<T: de::DeserializeOwned>(pairs: &str) -> Result<T, String> {
        let values = Values::grouped(form_urlencoded::parse(pairs.as_bytes()));
        T::deserialize(values).map_err(|error| error.to_string())
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "lowercase")]
    enum Order {
        Up,
        Down,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct Number(i8);

    #[derive(Debug, Deserialize, PartialEq)]
    struct Search {
        text: String,
        #[serde(default)]
        tags: Vec<String>,
        page: Option<u32>,
        order: Option<Order>,
        exact: Option<bool>,
        number: Option<Number>,
    }

    #[test]
    fn a_text_becomes_what_its_place_asks_for() {
        let found = read("tags=b&text=1+2&tags=a&page=7&order=down&other=x&exact=true&text=second&number=-3");
        let expected = Search {
            text: "1 2".into(),
            tags: vec!["b".into(), "a".into()],
            page: Some(7),
            order: Some(Order::Down),
            exact: Some(true),
            number: Some(Number(-3)),
        };
        assert_eq!(found, Ok(expected));
        let little = read::<Search>("text=").unwrap();
        assert_eq!((little.text.as_str(), little.tags.len(), little.page, little.order), ("", 0, None, None));
        assert_eq!(read("n=7"), Ok(7_u64));
        assert_eq!(read("n=up"), Ok(Order::Up));
        assert_eq!(read("a=x&b=7"), Ok(("x".to_owned(), 7_u8)));
        assert_eq!(read("b=2&a=1"), Ok(BTreeMap::from([("a".to_owned(), 1.0), ("b".to_owned(), 2.0)])));
        assert_eq!(read("b=2&a=1&b=3"), Ok(vec!['1', '2']));
        assert_eq!((read(""), read("")), (Ok(()), Ok(None::<u32>)));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_name() {
        for (pairs, expected) in [
            ("page=7", "missing field `text`"),
            ("text=a&page=x", "`page`: it cannot be \"x\": invalid digit found in string"),
            ("text=a&page=", "`page`: it cannot be \"\": cannot parse integer from empty string"),
            ("text=a&order=left", "`order`: unknown variant `left`, expected `up` or `down`"),
            ("text=a&exact=1", "`exact`: it cannot be \"1\": provided string was not `true` or `false`"),
            ("text=a&number=200", "`number`: it cannot be \"200\": number too large to fit in target type"),
        ] {
            assert_eq!(read::<Search>(pairs).unwrap_err(), expected, "{pairs}");
        }
        assert_eq!(read::<u32>("a=1&b=2").unwrap_err(), "one value is wanted, and there are 2");
        assert_eq!(read::<(u32, u32)>("a=1").unwrap_err(), "2 values are wanted, and there are 1");
        assert_eq!(read::<Vec<u32>>("a=1&b=c").unwrap_err(), "`b`: it cannot be \"c\": invalid digit found in string");
        assert!(read::<BTreeMap<String, Search>>("a=1").unwrap_err().starts_with("`a`: invalid type: string \"1\""));
    }
}
