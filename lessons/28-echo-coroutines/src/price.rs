//! What a request costs.

use crate::crowd::Crowd;
use crate::descriptors;
use crate::service::{BOTH, Service};
use shared::Stage;

/// So many are here at once, and so often all of them ask.
const CROWDS: [(usize, usize); 3] = [(10, 200), (100, 20), (1000, 2)];

/// What does a request cost when ten clients are here, a hundred, a thousand?
pub fn price(stage: &Stage) -> shared::Result {
    for (name, serve) in BOTH {
        for (clients, times) in CROWDS {
            if let Some(why) = descriptors::for_clients(clients) {
                stage.cannot_show(&format!("{clients} clients"), &why);
                continue;
            }
            let server = format!("{clients} clients, {name}");
            let service = Service::start(stage, &server, serve)?;
            let mut crowd = Crowd::connect(service.address, clients)?;
            crowd.all_ask("hello"); // all have been accepted then
            let before = service.cpu()?;
            let requests = clients * times;
            stage.measure(&server, requests as u32, || {
                (0..times).for_each(|_| _ = crowd.all_ask("hello"));
                Ok(())
            })?;
            if clients == 1000 {
                let cpu = (service.cpu()? - before) / requests as f64;
                stage.figure(&format!("{server}: CPU"), cpu)?;
            }
            drop(crowd);
            service.hall.is_empty_soon();
        }
    }
    Ok(())
}
