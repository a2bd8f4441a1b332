//! Faults of both versions, written and read.

use proptest::prelude::*;
use zato_soap::{Fault, FaultCode};

use crate::{as_xml_keeps_it, texts, with_envelope};

type Write = fn(&Fault, &mut Vec<u8>);

fn round_trip(fault: &Fault, write: Write) -> Fault {
    let mut out = Vec::new();
    write(fault, &mut out);
    with_envelope(&String::from_utf8(out).unwrap(), |envelope| envelope.fault()).unwrap()
}

#[track_caller]
fn check_read(text: &str, code: FaultCode, string: &str, actor: Option<&str>, detail: Option<&str>) {
    let fault = with_envelope(text, |envelope| envelope.fault()).unwrap();
    let expected = Fault {
        code,
        string: string.to_owned(),
        actor: actor.map(str::to_owned),
        detail: detail.map(str::to_owned),
    };
    assert_eq!(fault, expected);
}

fn v11(inside: &str) -> String {
    let namespace = "http://schemas.xmlsoap.org/soap/envelope/";
    format!("<e:Envelope xmlns:e='{namespace}'><e:Body><e:Fault>{inside}</e:Fault></e:Body></e:Envelope>")
}

fn v12(inside: &str) -> String {
    let namespace = "http://www.w3.org/2003/05/soap-envelope";
    format!("<e:Envelope xmlns:e='{namespace}'><e:Body><e:Fault>{inside}</e:Fault></e:Body></e:Envelope>")
}

#[test]
fn every_code_survives_in_both_versions() {
    for code in [FaultCode::Client, FaultCode::Server, FaultCode::VersionMismatch, FaultCode::MustUnderstand]
    {
        let fault = Fault {
            actor: Some("http://localhost/a?b=1&c=2".to_owned()),
            detail: Some("<why> & where".to_owned()),
            ..Fault::new(code, "no such object")
        };
        assert_eq!(round_trip(&fault, Fault::write), fault);
        assert_eq!(round_trip(&fault, Fault::write_v12), fault);
    }
}

#[test]
fn another_code_goes_out_as_it_is_or_as_a_subcode() {
    let fault = Fault::new(FaultCode::Other("Client.Authentication".to_owned()), "who?");
    assert_eq!(round_trip(&fault, Fault::write), fault);

    let mut out = Vec::new();
    fault.write_v12(&mut out);
    let text = String::from_utf8(out).unwrap();
    assert!(
        text.contains("<env:Subcode><env:Value>Client.Authentication</env:Value></env:Subcode>"),
        "{text}"
    );
    assert_eq!(with_envelope(&text, |envelope| envelope.fault()).unwrap().code, FaultCode::Server);
}

#[test]
fn faults_of_other_senders_are_read() {
    check_read(
        &v11("<faultcode>e:Server</faultcode><faultstring xml:lang='en'>failed</faultstring>\
              <faultactor>urn:a</faultactor><detail><code>12</code> <text>disk <b>full</b></text></detail>"),
        FaultCode::Server,
        "failed",
        Some("urn:a"),
        Some("12 disk full"),
    );
    // Qualified parts, white space around the code, comments in a text.
    check_read(
        &v11("<e:faultcode> Client\n</e:faultcode><e:faultstring>a<!-- b -->c</e:faultstring>"),
        FaultCode::Client,
        "ac",
        None,
        None,
    );
    check_read(
        &v11("<faultcode>app:Limit</faultcode>"),
        FaultCode::Other("app:Limit".to_owned()),
        "",
        None,
        None,
    );
    check_read(&v11(""), FaultCode::Other(String::new()), "", None, None);
    check_read(
        &v12(
            "<e:Code><e:Value>e:Sender</e:Value><e:Subcode><e:Value>app:Limit</e:Value></e:Subcode></e:Code>\
              <e:Reason><e:Text xml:lang='pl'>brak</e:Text><e:Text xml:lang='en-GB'>none</e:Text></e:Reason>\
              <e:Role>urn:r</e:Role><e:Detail/>",
        ),
        FaultCode::Client,
        "none",
        Some("urn:r"),
        Some(""),
    );
    check_read(
        &v12(
            "<e:Code><e:Value>e:DataEncodingUnknown</e:Value></e:Code><e:Reason><e:Text xml:lang='pl'>brak</e:Text></e:Reason>",
        ),
        FaultCode::Other("e:DataEncodingUnknown".to_owned()),
        "brak",
        None,
        None,
    );
}

#[test]
fn a_payload_called_fault_in_another_namespace_is_no_fault() {
    let text = v11("").replace("e:Fault", "Fault");
    assert_eq!(with_envelope(&text, |envelope| envelope.fault()), None);
}

proptest! {
    #[test]
    fn any_text_survives(string in texts(), actor in prop::option::of(texts()), detail in prop::option::of(texts())) {
        let fault = Fault { actor, detail, ..Fault::new(FaultCode::Server, string) };
        let expected = Fault {
            actor: fault.actor.as_deref().map(as_xml_keeps_it),
            detail: fault.detail.as_deref().map(as_xml_keeps_it),
            ..Fault::new(FaultCode::Server, as_xml_keeps_it(&fault.string))
        };
        prop_assert_eq!(&round_trip(&fault, Fault::write), &expected);
        prop_assert_eq!(&round_trip(&fault, Fault::write_v12), &expected);
    }
}
