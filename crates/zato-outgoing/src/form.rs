//! Forms, as browsers and the `requests` library of Python send them.
//!
//! Owns `application/x-www-form-urlencoded` and `multipart/form-data`. It knows neither calls nor connections: what it makes
//! is a [`Content`] like any other.

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::io;
use std::path::Path;
use std::pin::Pin;

use bytes::Bytes;
use futures_util::Stream;
use futures_util::stream::try_unfold;
use http::HeaderValue;
use http_body::Body as _;
use tokio_util::io::ReaderStream;

use crate::body::{Body, BodyError, Content, IntoBody};
use crate::error::{Failure, Source};
use crate::params::IntoParams;
use crate::url::push_form_text;

/// Names and values sent as an `application/x-www-form-urlencoded` body. A name may repeat. Without any pair there is no body
/// and no media type.
///
/// ```
/// # async fn example(crm: &zato_outgoing::Conn, cid: zato_cid::Cid) -> Result<(), zato_outgoing::CallError> {
/// crm.post(cid, zato_outgoing::Form([("name", "Foo Bar"), ("type", "1")])).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Form<P>(pub P);

impl<P: IntoParams> IntoBody for Form<P> {
    fn into_content(self) -> Result<Content, Failure> {
        let mut text = String::new();
        for (name, value) in self.0.into_params() {
            if !text.is_empty() {
                text.push('&');
            }
            push_form_text(&mut text, &name);
            text.push('=');
            push_form_text(&mut text, &value);
        }
        let media_type =
            (!text.is_empty()).then(|| HeaderValue::from_static("application/x-www-form-urlencoded"));
        Ok(Content { body: Body::from(Bytes::from(text)), media_type })
    }
}

/// Fields and files sent as a `multipart/form-data` body (RFC 7578), in the order in which they are added.
///
/// Files and streams are read while they are sent. A form of texts and bytes only can be sent again, by a retry or a
/// redirect; one with a file or a stream cannot.
///
/// ```no_run
/// # async fn example(crm: &zato_outgoing::Conn, cid: zato_cid::Cid) -> Result<(), Box<dyn std::error::Error>> {
/// use zato_outgoing::{Multipart, Part};
///
/// let report = Part::file("report.pdf").await?.media_type("application/pdf");
/// crm.post(cid, Multipart::new().text("title", "March").part("report", report)).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Default)]
pub struct Multipart {
    parts: Vec<(String, Part)>,
    boundary: Option<String>,
}

/// One part of a [`Multipart`] form.
pub struct Part {
    content: Body,
    file_name: Option<String>,
    media_type: Option<String>,
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Part")
            .field("content", &self.content)
            .field("file_name", &self.file_name)
            .field("media_type", &self.media_type)
            .finish()
    }
}

impl Part {
    /// Bytes or text held in memory.
    pub fn bytes(content: impl Into<Bytes>) -> Self {
        Self { content: Body::from(content.into()), file_name: None, media_type: None }
    }

    /// A stream. Without a `length`, in bytes, the length of the whole form is unknown and it is sent in chunks.
    pub fn streamed<S, E>(stream: S, length: Option<u64>) -> Self
    where
        S: Stream<Item = Result<Bytes, E>> + Send + 'static,
        E: Into<Source> + 'static,
    {
        Self { content: Body::streamed(stream, length), file_name: None, media_type: None }
    }

    /// A file, which is opened now and read while it is sent. Its length is the one it has now; if it changes before it has
    /// been sent, the call fails. The file name is the last component of `path`.
    ///
    /// # Errors
    ///
    /// That of the operating system if the file cannot be opened.
    pub async fn file(path: impl AsRef<Path>) -> io::Result<Self> {
        let path = path.as_ref();
        let file = tokio::fs::File::open(path).await?;
        let length = file.metadata().await?.len();
        let file_name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        let content = Body::streamed(ReaderStream::with_capacity(file, 64 * 1024), Some(length));
        Ok(Self { content, file_name, media_type: None })
    }

    /// Names the file which the part is said to be.
    #[must_use]
    pub fn file_name(mut self, name: impl Into<String>) -> Self {
        self.file_name = Some(name.into());
        self
    }

    /// Sets the part's `Content-Type`; without this it has none.
    #[must_use]
    pub fn media_type(mut self, media_type: impl Into<String>) -> Self {
        self.media_type = Some(media_type.into());
        self
    }

    /// What stands between the boundary and the content.
    fn head(&self, name: &str) -> Result<String, Failure> {
        let mut head = String::from("Content-Disposition: form-data; name=\"");
        push_quoted(&mut head, name);
        head.push('"');
        if let Some(file_name) = &self.file_name {
            head.push_str("; filename=\"");
            push_quoted(&mut head, file_name);
            head.push('"');
        }
        if let Some(media_type) = &self.media_type {
            HeaderValue::from_str(media_type)
                .map_err(|error| Failure::invalid_request("media type of a form's part", error))?;
            head.push_str("\r\nContent-Type: ");
            head.push_str(media_type);
        }
        head.push_str("\r\n\r\n");
        Ok(head)
    }
}

/// Writes a name as the HTML standard has it in forms and `requests` sends it: UTF-8, of which only what would end the
/// quoted text is encoded.
fn push_quoted(out: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '"' => out.push_str("%22"),
            '\r' => out.push_str("%0D"),
            '\n' => out.push_str("%0A"),
            other => out.push(other),
        }
    }
}

impl Multipart {
    /// A form without any part. Its boundary is random.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a field.
    #[must_use]
    pub fn text(self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.part(name, Part::bytes(value.into()))
    }

    /// Adds a part.
    #[must_use]
    pub fn part(mut self, name: impl Into<String>, part: Part) -> Self {
        self.parts.push((name.into(), part));
        self
    }

    /// Sets the boundary, which must not occur in any part. It is meant for reproducible requests.
    #[must_use]
    pub fn boundary(mut self, boundary: impl Into<String>) -> Self {
        self.boundary = Some(boundary.into());
        self
    }
}

impl IntoBody for Multipart {
    fn into_content(self) -> Result<Content, Failure> {
        let boundary = self.boundary.map_or_else(random_boundary, Ok)?;
        let media_type = HeaderValue::try_from(format!("multipart/form-data; boundary={boundary}"))
            .map_err(|error| Failure::invalid_request("boundary of a form", error))?;
        let mut bodies = VecDeque::with_capacity(self.parts.len() * 2 + 1);
        let mut between = String::new();
        for (name, part) in self.parts {
            between.push_str("--");
            between.push_str(&boundary);
            between.push_str("\r\n");
            between.push_str(&part.head(&name)?);
            bodies.push_back(Body::from(Bytes::from(std::mem::take(&mut between))));
            bodies.push_back(part.content);
            between.push_str("\r\n");
        }
        between.push_str("--");
        between.push_str(&boundary);
        between.push_str("--\r\n");
        bodies.push_back(Body::from(Bytes::from(between)));
        Ok(Content { body: chained(bodies), media_type: Some(media_type) })
    }
}

/// 128 random bits, so that the boundary occurs in no content.
fn random_boundary() -> Result<String, Failure> {
    let high = getrandom::u64().map_err(|error| Failure::invalid_request("boundary of a form", error))?;
    let low = getrandom::u64().map_err(|error| Failure::invalid_request("boundary of a form", error))?;
    Ok(format!("{high:016x}{low:016x}"))
}

/// One body out of many, which is a stream only if one of them is.
fn chained(bodies: VecDeque<Body>) -> Body {
    let pieces: Option<Vec<&[Bytes]>> = bodies.iter().map(Body::pieces).collect();
    if let Some(pieces) = pieces {
        let mut whole = Vec::with_capacity(pieces.iter().copied().flatten().map(Bytes::len).sum());
        pieces.into_iter().flatten().for_each(|piece| whole.extend_from_slice(piece));
        return Body::from(Bytes::from(whole));
    }
    let length = bodies.iter().map(Body::len).sum();
    let stream = try_unfold(bodies, async |mut bodies| {
        while let Some(body) = bodies.front_mut() {
            match poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await.transpose()? {
                Some(frame) => return Ok::<_, BodyError>(frame.into_data().ok().map(|data| (data, bodies))),
                None => drop(bodies.pop_front()),
            }
        }
        Ok(None)
    });
    Body::streamed(stream, length)
}

#[cfg(test)]
mod tests {
    use futures_util::stream::iter;
    use http_body_util::BodyExt;

    use super::*;

    #[track_caller]
    fn check_form(params: impl IntoParams, expected: &str, media_type: Option<&str>) {
        let content = Form(params).into_content().unwrap();
        assert_eq!(content.body.pieces().unwrap().concat(), expected.as_bytes());
        assert_eq!(content.media_type.as_ref().map(|value| value.to_str().unwrap()), media_type);
    }

    #[test]
    fn forms() {
        let media_type = Some("application/x-www-form-urlencoded");
        check_form([("a", "1"), ("a", "2")], "a=1&a=2", media_type);
        check_form([("k&=", "a b+c/é~*")], "k%26%3D=a+b%2Bc%2F%C3%A9~%2A", media_type);
        check_form((), "", None);
    }

    async fn written(form: Multipart) -> (Option<u64>, String) {
        let content = form.boundary("B").into_content().unwrap();
        assert_eq!(content.media_type.unwrap(), "multipart/form-data; boundary=B");
        let length = content.body.len();
        let bytes = content.body.collect().await.unwrap().to_bytes();
        (length, String::from_utf8(bytes.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn multipart_forms() {
        let file = Part::bytes("x,y").file_name("a \"b\"\r\n.csv").media_type("text/csv");
        let (length, text) = written(Multipart::new().text("é", "1").part("file", file)).await;
        let expected = "--B\r\nContent-Disposition: form-data; name=\"é\"\r\n\r\n1\r\n\
                        --B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a %22b%22%0D%0A.csv\"\r\n\
                        Content-Type: text/csv\r\n\r\nx,y\r\n--B--\r\n";
        assert_eq!(text, expected);
        assert_eq!(length, Some(expected.len() as u64));
    }

    #[tokio::test]
    async fn streams_and_files_are_read_while_they_are_sent() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        let file = Part::file(&path).await.unwrap();
        let (length, text) = written(Multipart::new().part("f", file).text("a", "b")).await;
        assert_eq!(length, Some(text.len() as u64));
        assert!(text.contains("filename=\"Cargo.toml\"\r\n\r\n[package]"), "{text}");
        assert!(text.ends_with("\r\n\r\nb\r\n--B--\r\n"));

        let pieces = || iter([Ok::<_, io::Error>(Bytes::from("x")), Ok(Bytes::from("y"))]);
        for known in [Some(2), None] {
            let (length, text) = written(Multipart::new().part("f", Part::streamed(pieces(), known))).await;
            assert_eq!(length, known.map(|_| text.len() as u64));
            assert!(text.contains("\r\n\r\nxy\r\n--B--"));
        }
    }

    #[test]
    fn what_a_header_cannot_carry_is_refused() {
        let part = Part::bytes("").media_type("text/plain\r\nX: y");
        assert!(Multipart::new().part("a", part).into_content().is_err());
        assert!(Multipart::new().boundary("a\nb").into_content().is_err());
    }

    #[test]
    fn boundaries_are_random() {
        let media_type = || Multipart::new().into_content().unwrap().media_type.unwrap();
        assert_ne!(media_type(), media_type());
    }
}
