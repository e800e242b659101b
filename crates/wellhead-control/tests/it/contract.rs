//! Every answer has the shape that the OpenAPI document promises.
