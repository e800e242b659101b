//! A target goes down under steady load and comes back: with a standby nobody notices, and when all are gone they are
//! not kept down by those who ask again. The outages of an hour's length are in the soak; here they are as long as it
//! takes to see the breaker at work.

mod deaths;
mod everybody;
mod load;
mod sdk;
mod standby;
