//! Callers who name themselves somewhere in the message.
//!
//! Owns where that is, and how it is compared. It must not know what else a message says.
//!
//! Expressions know no prefixes. They are compiled when a definition is configured.

use uppsala::Parser;

use super::denied::Denied;
use super::secret::{Password, is_same};
use crate::xpath::{XPathError, XPathExpression, payload};

/// Where callers name themselves.
#[derive(Clone, Debug)]
pub struct XPath {
    /// Compared exactly with what the first expression finds.
    pub username: String,
    /// Finds the user's name.
    pub username_expr: String,
    /// Compared exactly with what the second expression finds.
    pub password: Password,
    /// Finds the password. Without this expression the user's name is all that callers have to know.
    pub password_expr: Option<String>,
}

/// The definition with its expressions compiled.
pub(super) struct XPathCheck {
    username: Box<str>,
    username_expr: XPathExpression,
    password: Option<(Password, XPathExpression)>,
}

impl XPathCheck {
    pub(super) fn new(rules: XPath) -> Result<Self, XPathError> {
        let password = match rules.password_expr {
            Some(expression) => Some((rules.password, compiled(&expression)?)),
            None => None,
        };
        let username_expr = compiled(&rules.username_expr)?;
        Ok(Self { username: rules.username.into(), username_expr, password })
    }

    /// Checks a message that is known to be within all limits. What stands in the body of a SOAP envelope is where
    /// expressions begin; elsewhere it is the root.
    pub(super) fn check(&self, message: &str, is_soap: bool) -> Result<(), Denied> {
        let unreadable = |error: String| Denied::NoMessage(error);
        let parsed = Parser::new().with_forbid_dtd(true).parse(message);
        let mut document = parsed.map_err(|error| unreadable(error.to_string()))?;
        document.prepare_xpath();
        let context = if is_soap { payload(&document) } else { document.document_element() };
        let context = context.ok_or_else(|| unreadable("it has no payload".to_owned()))?;
        let find = |expression: &XPathExpression| expression.find(&document, context).map_err(unreadable);
        let username = find(&self.username_expr)?;
        // Both are looked for and compared whatever the first comparison says.
        let password = match &self.password {
            Some((password, expression)) => {
                let found = find(expression)?;
                Some((bool::from(password.is(found.as_deref().unwrap_or_default().as_bytes())), found))
            }
            None => None,
        };
        // An empty element names nobody, be it that a definition's user has no name either.
        let given = username.filter(|given| !given.is_empty()).ok_or(Denied::NotFound("username"))?;
        if !bool::from(is_same(self.username.as_bytes(), given.as_bytes())) {
            return Err(Denied::Username);
        }
        match password {
            None | Some((true, Some(_))) => Ok(()),
            Some((_, None)) => Err(Denied::NotFound("password")),
            Some((false, Some(_))) => Err(Denied::Password),
        }
    }
}

fn compiled(expression: &str) -> Result<XPathExpression, XPathError> {
    XPathExpression::new(expression, [])
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGE: &str = r#"<order><auth key="k&amp;y"><user>ann</user><user>bob</user><pass>s3c<!-- -->ret</pass></auth></order>"#;

    fn rules(username_expr: &str, password_expr: Option<&str>) -> XPath {
        XPath {
            username: "ann".to_owned(),
            username_expr: username_expr.to_owned(),
            password: "s3cret".into(),
            password_expr: password_expr.map(str::to_owned),
        }
    }

    #[track_caller]
    fn check(username: &str, password: Option<&str>, expected: impl Into<Option<Denied>>) {
        let check = XPathCheck::new(rules(username, password)).unwrap();
        assert_eq!(check.check(MESSAGE, false).err(), expected.into(), "{username} {password:?}");
        assert_eq!(check.check(MESSAGE, false), check.check(MESSAGE, false));
    }

    #[test]
    fn credentials_are_found_in_messages() {
        check("/order/auth/user", None, None);
        check("auth/user", None, None);
        check("//user", Some("//pass"), None);
        check("string(//user[1])", Some("string(//pass)"), None);
        check("//user[2]", None, Denied::Username);
        check("//user", Some("//user"), Denied::Password);
        check("//user", Some("//auth/@key"), Denied::Password);
        check("//nobody", None, Denied::NotFound("username"));
        check("//user", Some("//nothing"), Denied::NotFound("password"));
        check("//user[2]", Some("//nothing"), Denied::Username);
    }

    #[test]
    fn an_empty_element_is_no_name() {
        let nobody = XPath { username: String::new(), ..rules("user", None) };
        let check = XPathCheck::new(nobody).unwrap();
        assert_eq!(check.check("<a><user/></a>", false), Err(Denied::NotFound("username")));
    }

    #[test]
    fn expressions_begin_at_the_payload() {
        let soap = format!(
            "<s:Envelope xmlns:s=\"urn:s\"><s:Header><user>eve</user></s:Header><s:Body>{MESSAGE}</s:Body></s:Envelope>"
        );
        let check = |username: &str, message: &str| {
            XPathCheck::new(rules(username, None)).unwrap().check(message, true)
        };
        assert_eq!(check("auth/user", &soap), Ok(()));
        assert_eq!(check("//order/auth/user", &soap), Ok(()));
        assert_eq!(check("/order/auth/user", &soap), Err(Denied::NotFound("username")));
        assert!(matches!(check("auth/user", "<a/>"), Err(Denied::NoMessage(_))));
        assert!(matches!(check("auth/user", "<a"), Err(Denied::NoMessage(_))));
    }

    #[test]
    fn what_is_no_expression() {
        for expression in ["", "//", "//user[", "//user]", "a b", "f(", "//*[true()", "unknown()"] {
            let error = XPathCheck::new(rules(expression, None)).err();
            assert!(error.is_some_and(|error| error.to_string().contains(expression)), "{expression}");
            assert!(XPathCheck::new(rules("//user", Some(expression))).is_err(), "{expression}");
        }
    }

    #[test]
    fn an_expression_visits_a_bounded_number_of_nodes() {
        let message = format!("<a>{}</a>", "<b><c/></b>".repeat(2_000));
        let check = XPathCheck::new(rules("//*[count(//*) > 0][count(//*) > 1]", None)).unwrap();
        let begun = std::time::Instant::now();
        assert!(matches!(check.check(&message, false), Err(Denied::NoMessage(_))));
        assert!(begun.elapsed().as_secs() < 20);
    }
}
