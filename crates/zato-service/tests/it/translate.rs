//! Services translate values by way of the data dictionary.

use zato_kvdb::dictionary::{Dictionary, Mapping, NewTranslation, Term};

use crate::support::Fixture;

#[tokio::test]
async fn values_are_translated() {
    let fixture = Fixture::new().await;
    let cx = fixture.context();
    let dictionary = Dictionary::new(cx.kvdb().clone());
    let (from, to) = (Term::new("CRM", "currency", "EUR"), Term::new("ERP", "cur", "978"));
    for term in [&from, &to] {
        dictionary.create_entry(term.clone()).await.unwrap();
    }
    let mapping = Mapping { from, system2: to.system, key2: to.key };
    dictionary.create_translation(NewTranslation { mapping, value2: to.value }).await.unwrap();

    let found = cx.translate("CRM", "currency", "EUR", "ERP", "cur").await.unwrap();
    assert_eq!(found.as_deref(), Some("978"));
    assert_eq!(cx.translate("ERP", "cur", "978", "CRM", "currency").await.unwrap(), None);
    let refused = cx.translate("CRM", "currency", &"EUR".repeat(1000), "ERP", "cur").await.unwrap_err();
    assert!(refused.message().contains("a key has 1 to 1024 bytes"), "{refused}");
}
