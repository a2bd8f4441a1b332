//! A program that uses `zato-service` alone: it registers a service and looks it up.

use zato_service::{Context, Description, Error, Raw, RawInput, Registry, RegistryError, Service};

struct Echo;

impl Service for Echo {
    type Input = RawInput;
    type Output = Raw;

    fn description(&self) -> Description {
        Description::new("echo")
    }

    async fn handle(&self, _cx: &mut Context, input: RawInput) -> Result<Raw, Error> {
        Ok(Raw::new(input.body))
    }
}

fn main() -> Result<(), RegistryError> {
    let registry = Registry::new();
    registry.register(Echo)?;
    assert!(registry.find("echo").is_some());
    println!("{registry:?}");
    Ok(())
}
