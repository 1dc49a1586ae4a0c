//! Ed25519 keys, strict: one message and key have few valid signatures and none by accident.
//!
//! In scope: signing, verifying, and which 32 bytes are a key.
//! Out of scope: which key belongs to whom ([`crate::trust`]), where secrets are kept.
//!
//! How strictness is reached:
//! 1. [`VerifyingKey::parse`] compares bytes before any curve arithmetic: the y coordinate must be
//!    below 2^255 - 19, and must not be one of the five that the eight points of small order
//!    share. The only points with x = 0, whose sign bit could be written in two ways, are among
//!    those. So every key has one encoding, and none lets one signature fit many messages.
//!    (`keys_of_small_order_or_of_a_second_encoding_are_refused`)
//! 2. The provider refuses an S that is not below the group order, and compares R with the bytes
//!    it computes itself, without the cofactor, so an R in a second encoding never matches.
//!    (`a_signature_cannot_be_written_in_another_way`)
//! 3. 32 bytes that are no point of the curve are taken by `parse` and verify nothing.
//!
//! What held is remembered for a while, by thread: members pass on what others have signed, and
//! announce what they send next, so the same signature comes again and again. What did not hold is
//! never remembered. (`a_signature_that_held_makes_no_other_one_hold`)

use std::cell::RefCell;
use std::fmt;

use aws_lc_rs::digest::{Context, SHA256};
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, VerificationAlgorithm};

use crate::ids::{hex, unhex};

/// Bytes of a signature: R and S.
pub const SIGNATURE_LEN: usize = 64;
/// Signatures that held and are remembered, a power of two: 32 KiB in each thread that verifies.
const HELD_MAX: usize = 1024;

/// Why bytes are not a key, or a signature does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not 32 bytes, or not 64 lower-case hexadecimal digits. Ask for the key again.
    #[error("a key is 32 bytes")]
    Length,
    /// The point could be written in another way. No honest program makes such a key.
    #[error("key is not in canonical form")]
    NotCanonical,
    /// A point of small order, for which signatures prove nothing. No honest program makes one.
    #[error("key is a point of small order")]
    SmallOrder,
    /// The provider did not take the seed. Not known to happen; nothing was signed.
    #[error("the cryptographic library refused the seed")]
    Seed,
    /// The signature is not by this key over these bytes. Treat the bytes as forged.
    #[error("signature does not match")]
    BadSignature,
}

/// A public key: the canonical encoding of a point that is not of small order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VerifyingKey([u8; 32]);

/// 2^255 - 19, little-endian.
const FIELD: [u8; 32] = {
    let mut p = [0xff; 32];
    p[0] = 0xed;
    p[31] = 0x7f;
    p
};

/// The y coordinates of the eight points of small order, little-endian.
const SMALL_ORDER: [[u8; 32]; 5] = [
    [0; 32], // order 4
    {
        let mut one = [0; 32]; // order 1
        one[0] = 1;
        one
    },
    {
        let mut minus_one = FIELD; // order 2
        minus_one[0] = 0xec;
        minus_one
    },
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98,
        0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53,
        0xfc, 0x05,
    ], // order 8
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67,
        0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac,
        0x03, 0x7a,
    ], // order 8
];

impl VerifyingKey {
    /// Reads 32 raw bytes.
    ///
    /// # Errors
    /// [`KeyError`] on another length, a point of small order or a non-canonical encoding.
    pub fn parse(bytes: &[u8]) -> Result<Self, KeyError> {
        let key: [u8; 32] = bytes.try_into().map_err(|_| KeyError::Length)?;
        let mut y = key;
        let [.., last] = &mut y;
        *last &= 0x7f; // The top bit is the sign of x.
        if y.iter().rev().ge(FIELD.iter().rev()) {
            return Err(KeyError::NotCanonical);
        }
        if SMALL_ORDER.contains(&y) {
            return Err(KeyError::SmallOrder);
        }
        Ok(Self(key))
    }

    /// Reads 64 lower-case hexadecimal digits.
    ///
    /// # Errors
    /// As [`Self::parse`]; [`KeyError::Length`] also for any other character.
    pub fn parse_hex(text: &str) -> Result<Self, KeyError> {
        Self::parse(&unhex(text).ok_or(KeyError::Length)?)
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Checks that this key signed `message`. `signature` should be 64 bytes; any other length
    /// is a bad signature.
    ///
    /// # Errors
    /// [`KeyError::BadSignature`], whatever is wrong with it.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), KeyError> {
        if signature.len() != SIGNATURE_LEN {
            return Err(KeyError::BadSignature);
        }
        let asked = self.asked(message, signature);
        if HELD.with_borrow(|held| held.contains(&asked)) {
            return Ok(());
        }
        let held = ED25519.verify_sig(&self.0, message, signature);
        held.map_err(|_| KeyError::BadSignature)?;
        HELD.with_borrow_mut(|held| held.put(asked));
        Ok(())
    }

    /// SHA-256 of key, signature and message. The first two have fixed lengths, so that two
    /// questions of one digest are one question.
    fn asked(&self, message: &[u8], signature: &[u8]) -> Asked {
        let mut context = Context::new(&SHA256);
        for bytes in [&self.0, signature, message] {
            context.update(bytes);
        }
        let mut asked = [0; 32];
        for (to, from) in asked.iter_mut().zip(context.finish().as_ref()) {
            *to = *from;
        }
        asked
    }
}

type Asked = [u8; 32];

thread_local! {
    static HELD: RefCell<Held> = const { RefCell::new(Held(Vec::new())) };
}

/// Signatures that held, each at the one place that its digest gives it: a later one of that place
/// takes it. Whoever fills it with his own signatures makes others be verified again, no more.
struct Held(Vec<Asked>);

impl Held {
    fn place([low, high, ..]: &Asked) -> usize {
        usize::from(u16::from_le_bytes([*low, *high])) % HELD_MAX
    }

    fn contains(&self, asked: &Asked) -> bool {
        self.0.get(Self::place(asked)) == Some(asked)
    }

    fn put(&mut self, asked: Asked) {
        self.0.resize(HELD_MAX, [0; 32]);
        if let Some(place) = self.0.get_mut(Self::place(&asked)) {
            *place = asked;
        }
    }
}

impl fmt::Display for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifyingKey({self})")
    }
}

/// A secret key. Its `Debug` shows the public half only; the secret cannot be read back.
pub struct SigningKey {
    pair: Ed25519KeyPair,
    public: VerifyingKey,
}

impl SigningKey {
    /// Derives the key pair of a 32-byte seed, as RFC 8032 does. The seed must be random.
    ///
    /// # Errors
    /// [`KeyError::Seed`] if the provider fails.
    pub fn from_seed(seed: &[u8; 32]) -> Result<Self, KeyError> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| KeyError::Seed)?;
        let public = VerifyingKey::parse(pair.public_key().as_ref())?;
        Ok(Self { pair, public })
    }

    /// The public half.
    #[must_use]
    pub const fn verifying_key(&self) -> VerifyingKey {
        self.public
    }

    /// Signs `message`. The same key and message always give the same signature.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> [u8; SIGNATURE_LEN] {
        let mut out = [0; SIGNATURE_LEN];
        for (to, from) in out.iter_mut().zip(self.pair.sign(message).as_ref()) {
            *to = *from;
        }
        out
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey(public {})", self.public)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8032, 7.1, test 2.
    const SEED: &str = "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb";
    const PUBLIC: &str = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";
    const SIGNATURE: &str = "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
                             085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";

    fn signing_key() -> SigningKey {
        SigningKey::from_seed(&unhex(SEED).unwrap().try_into().unwrap()).unwrap()
    }

    #[test]
    fn the_vectors_of_rfc_8032_hold() {
        let key = signing_key();
        assert_eq!(key.verifying_key().to_string(), PUBLIC);
        assert_eq!(hex(&key.sign(&[0x72])), SIGNATURE);
        let public = VerifyingKey::parse_hex(PUBLIC).unwrap();
        assert_eq!(public.verify(&[0x72], &unhex(SIGNATURE).unwrap()), Ok(()));
        assert_eq!(public.verify(&[0x73], &unhex(SIGNATURE).unwrap()), Err(KeyError::BadSignature));
    }

    #[test]
    fn a_secret_is_never_printed() {
        let shown = format!("{:?}", signing_key());
        assert!(shown.contains(PUBLIC) && !shown.contains(SEED), "{shown}");
        assert!(!shown.contains(&format!("{:?}", unhex(SEED).unwrap())));
    }

    #[test]
    fn keys_of_small_order_or_of_a_second_encoding_are_refused() {
        for y in SMALL_ORDER {
            for sign in [0, 0x80] {
                let mut key = y;
                key[31] |= sign;
                assert_eq!(VerifyingKey::parse(&key), Err(KeyError::SmallOrder), "{}", hex(&key));
            }
        }
        // y = p, p + 1, ... , 2^255 - 1: the nineteen values written in a second way.
        for low in 0xed..=0xff {
            for high in [0x7f, 0xff] {
                let mut key = [0xff; 32];
                (key[0], key[31]) = (low, high);
                assert_eq!(VerifyingKey::parse(&key), Err(KeyError::NotCanonical), "{low:x}");
            }
        }
        let mut below = FIELD;
        below[0] = 0xeb;
        assert!(VerifyingKey::parse(&below).is_ok(), "p - 2 is canonical and not small");
        assert_eq!(VerifyingKey::parse(&[1; 31]), Err(KeyError::Length));
        assert_eq!(VerifyingKey::parse_hex(&PUBLIC.to_uppercase()), Err(KeyError::Length));
    }

    #[test]
    fn a_signature_cannot_be_written_in_another_way() {
        // S + L, where L is the group order, satisfies the equation too.
        const ORDER: [u8; 32] = [
            0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9,
            0xde, 0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
        ];
        let key = signing_key();
        let signature = key.sign(b"text");
        let mut second = signature;
        let mut carry = 0;
        for (digit, add) in second[32..].iter_mut().zip(ORDER) {
            let sum = u16::from(*digit) + u16::from(add) + carry;
            *digit = u8::try_from(sum & 0xff).unwrap();
            carry = sum >> 8;
        }
        let public = key.verifying_key();
        assert_eq!(public.verify(b"text", &signature), Ok(()));
        assert_eq!(public.verify(b"text", &second), Err(KeyError::BadSignature));
        for length in [0, 63, 65] {
            assert_eq!(public.verify(b"text", &vec![0; length]), Err(KeyError::BadSignature));
        }
    }

    #[test]
    fn a_signature_that_held_makes_no_other_one_hold() {
        let (key, other) = (signing_key(), SigningKey::from_seed(&[7; 32]).unwrap());
        let public = key.verifying_key();
        for nth in 0..2 * HELD_MAX {
            let text = nth.to_string();
            let signature = key.sign(text.as_bytes());
            for _ in 0..2 {
                assert_eq!(public.verify(text.as_bytes(), &signature), Ok(()));
            }
            let mut wrong = signature;
            wrong[nth % SIGNATURE_LEN] ^= 1;
            for _ in 0..2 {
                assert!(public.verify(text.as_bytes(), &wrong).is_err(), "{nth}");
                assert!(public.verify(b"another text", &signature).is_err(), "{nth}");
                assert!(other.verifying_key().verify(text.as_bytes(), &signature).is_err());
            }
            assert_eq!(public.verify(text.as_bytes(), &signature), Ok(()));
        }
        assert_eq!(HELD.with_borrow(|held| held.0.len()), HELD_MAX);
    }

    #[test]
    fn every_flipped_bit_of_a_signature_is_noticed() {
        let key = signing_key();
        let signature = key.sign(b"text");
        for bit in 0..512 {
            let mut wrong = signature;
            wrong[bit / 8] ^= 1 << (bit % 8);
            assert!(key.verifying_key().verify(b"text", &wrong).is_err(), "bit {bit}");
        }
    }
}
