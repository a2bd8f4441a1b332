//! A program that uses `zato-catalogue` alone: it says what the public API consists of.

use zato_catalogue::Call;
use zato_catalogue::core::ping;

fn main() {
    assert_eq!(ping::Request::SERVICE.name, "zato.ping");
    assert!(zato_catalogue::wsdl("http://localhost/zato/soap").contains("zato_ping_response"));
    println!("{} services", zato_catalogue::services().len());
}
