//! The checksum of HJ 212-2017 annex A, which is not the one of Modbus.

/// CRC-16 of a data segment: the register begins as 0xFFFF, keeps only its high byte before each
/// byte comes in, and is reduced by 0xA001.
#[must_use]
pub fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0xFFFF, |register: u16, byte| {
        (0..8).fold((register >> 8) ^ u16::from(*byte), |crc, _| match crc & 1 {
            0 => crc >> 1,
            _ => (crc >> 1) ^ 0xA001,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_standard() {
        let segment = b"QN=20160801085857223;ST=32;CN=1062;PW=100000;MN=010000A8900016F000169DC0;\
                        Flag=5;CP=&&RtdInterval=30&&";
        assert_eq!(crc16(segment), 0x1C80);
        assert_eq!(crc16(b""), 0xFFFF);
    }
}
