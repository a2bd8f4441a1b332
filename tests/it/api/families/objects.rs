//! The cases that all families of stored objects have in common.
//!
//! Owns what create, edit, get-list, delete and change-password do whatever is stored. It must not know any family.

use serde_json::{Value, json};

use super::super::cases::{Cases, NO_ID};
use crate::support::api::with;
use crate::support::envelope::text;

/// A family of stored objects.
pub(super) struct Objects {
    /// What the names of its services begin with.
    pub(super) family: &'static str,
    /// What the message about a name that is taken begins with.
    pub(super) taken: &'static str,
    /// What creates an object.
    pub(super) object: Value,
    /// What an edit changes.
    pub(super) changes: Value,
    /// What get-list shows of the object besides what was sent and shown alike.
    pub(super) shown: Value,
    /// Elements that are sent and not shown.
    pub(super) hidden: &'static [&'static str],
}

impl Objects {
    fn service(&self, name: &str) -> String {
        format!("{}.{name}", self.family)
    }

    fn item(&self, id: i64, sent: &Value) -> Value {
        let mut item = with(sent, &self.shown);
        let elements = item.as_object_mut().expect("an object has elements");
        for hidden in self.hidden {
            elements.remove(*hidden);
        }
        with(&item, &json!({"id": id}))
    }

    /// Makes the cases, and returns the id of an object that is left.
    #[track_caller]
    pub(super) fn check(&self, cases: &mut Cases<'_>) -> i64 {
        let [create, edit, list] = ["create", "edit", "get-list"].map(|name| self.service(name));
        let taken = format!("{} [{}] already exists on this cluster", self.taken, self.name());
        let id = cases.id(&create, &self.object);
        cases.list_with(&list, &json!({"cluster_id": 1}), &self.item(id, &self.object));
        cases.empty_list(&list, &json!({"cluster_id": NO_ID}));
        cases.fails(&create, &self.object, 409, &[&taken]);
        let nowhere = with(&self.object, &json!({"cluster_id": NO_ID}));
        cases.fails(&create, &nowhere, 404, &["cluster", "987654"]);
        cases.fails(&create, &with(&self.object, &json!({"name": ""})), 400, &["name"]);

        let second = cases.id(&create, &self.second());
        let page = json!({"cluster_id": 1, "paginate": true, "page_size": 1, "query": "łódź SECOND"});
        let page: Vec<_> = cases.list(&list, &page).iter().map(|item| text(&item["id"])).collect();
        assert_eq!(page, [second.to_string()], "{list}");

        let edited = with(&with(&self.object, &self.changes), &json!({"id": id}));
        cases.id(&edit, &edited);
        cases.list_with(&list, &json!({"cluster_id": "1"}), &self.item(id, &edited));
        cases.fails(&edit, &with(&edited, &json!({"id": NO_ID})), 404, &["987654"]);
        cases.fails(&edit, &with(&edited, &json!({"id": second})), 409, &[&taken]);

        self.check_delete(cases, second);
        id
    }

    /// Another object, whose name has characters that formats escape. User names are unique where objects are security
    /// definitions.
    fn second(&self) -> Value {
        let second = with(&self.object, &json!({"name": "Second <&> łódź"}));
        let has_user = !self.object["username"].is_null() && self.family.starts_with("zato.security");
        if has_user { with(&second, &json!({"username": "second"})) } else { second }
    }

    fn name(&self) -> &str {
        self.object["name"].as_str().expect("a name is a text")
    }

    fn check_delete(&self, cases: &mut Cases<'_>, id: i64) {
        let delete = self.service("delete");
        cases.nothing(&delete, &json!({"id": id}));
        cases.fails(&delete, &json!({"id": id}), 404, &["No row was found"]);
    }

    /// A create and an edit of an object that differs in these elements fail with these texts.
    #[track_caller]
    pub(super) fn refuses(&self, cases: &mut Cases<'_>, id: i64, wrong: &Value, status: u16, texts: &[&str]) {
        let new = with(&with(&self.object, &json!({"name": "Refused"})), wrong);
        cases.fails(&self.service("create"), &new, status, texts);
        cases.fails(&self.service("edit"), &with(&new, &json!({"id": id})), status, texts);
    }

    /// Each of these values of an element is refused.
    #[track_caller]
    pub(super) fn refuses_each(&self, cases: &mut Cases<'_>, id: i64, element: &str, values: &[Value]) {
        for value in values {
            self.refuses(cases, id, &json!({element: value}), 400, &[element]);
        }
    }

    /// What change-password does where an empty password is one.
    #[track_caller]
    pub(super) fn check_free_password(&self, cases: &mut Cases<'_>, id: i64) {
        let change = self.service("change-password");
        cases.server.keep_secret("free-word");
        let input = |id: i64, one: &str, two: &str| json!({"id": id, "password1": one, "password2": two});
        cases.nothing(&change, &input(id, "free-word", "free-word"));
        cases.nothing(&change, &input(id, "", ""));
        cases.fails(&change, &input(id, "free-word", "x"), 400, &["Passwords need to be the same"]);
        cases.fails(&change, &input(NO_ID, "p", "p"), 404, &["987654"]);
    }

    /// What change-password does where an empty password is none.
    #[track_caller]
    pub(super) fn check_password(&self, cases: &mut Cases<'_>, id: i64) {
        let change = self.service("change-password");
        cases.server.keep_secret("table-word");
        let input = |id: i64, one: &str, two: &str| json!({"id": id, "password1": one, "password2": two});
        cases.nothing(&change, &input(id, "table-word", "table-word"));
        cases.fails(&change, &input(id, "", "table-word"), 400, &["Password must not be empty"]);
        cases.fails(&change, &input(id, "table-word", ""), 400, &["Password must be repeated"]);
        cases.fails(&change, &input(id, "table-word", "x"), 400, &["Passwords need to be the same"]);
        cases.fails(&change, &input(NO_ID, "p", "p"), 404, &["987654"]);
    }
}
