//! Groups where something is not as it should be: hubs that say what is not so, people who do not do what they say, nodes that give
//! no more for now.

mod entering;
mod filling;
mod leaving;
mod links;
mod places;
mod refused;
