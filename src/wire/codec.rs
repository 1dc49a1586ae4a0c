//! The gRPC codec of all our services: protobuf, with the elements counted before decoding.

use std::marker::PhantomData;

use bytes::Buf;
use prost::{Message, Name};
use tonic::Status;
use tonic::codec::{Codec, DecodeBuf, Decoder};
use tonic_prost::ProstCodec;

use super::scan::check_elements;
use super::status;

/// Encodes `T` and decodes `U`, refusing a `U` with more elements than anything honest has.
#[derive(Debug)]
pub struct CountingCodec<T, U>(PhantomData<fn() -> (T, U)>);

impl<T, U> Default for CountingCodec<T, U> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T, U> Codec for CountingCodec<T, U>
where
    T: Message + Send + 'static,
    U: Message + Name + Default + Send + 'static,
{
    type Encode = T;
    type Decode = U;
    type Encoder = <ProstCodec<T, U> as Codec>::Encoder;
    type Decoder = CountingDecoder<U>;

    fn encoder(&mut self) -> Self::Encoder {
        ProstCodec::<T, U>::default().encoder()
    }

    fn decoder(&mut self) -> Self::Decoder {
        CountingDecoder(PhantomData)
    }
}

/// The decoding half.
#[derive(Debug)]
pub struct CountingDecoder<U>(PhantomData<fn() -> U>);

impl<U: Message + Name + Default> Decoder for CountingDecoder<U> {
    type Item = U;
    type Error = Status;

    fn decode(&mut self, src: &mut DecodeBuf<'_>) -> Result<Option<U>, Status> {
        // Byte fields of the message share this buffer instead of being copied out of it.
        let bytes = src.copy_to_bytes(src.remaining());
        check_elements("message", &U::full_name(), &bytes)
            .map_err(|error| status::of_wire(&error).status(status::Language::Zh))?;
        U::decode(bytes).map(Some).map_err(|error| {
            let error = super::WireError::unreadable("message")(error);
            status::of_wire(&error).status(status::Language::Zh)
        })
    }
}
