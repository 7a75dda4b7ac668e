//! Passwords, from the system's randomness, by the rules of `random_password` and of Secrets Manager.

const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const DIGITS: &str = "0123456789";
pub(super) const SPECIAL: &str = "!@#$%&*()-_=+[]{}<>:?";
/// What Secrets Manager calls punctuation.
pub(super) const PUNCTUATION: &str = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";

/// Letters that a password is made of, and how many of them it has at least.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Class {
    pub(super) letters: Vec<char>,
    pub(super) at_least: usize,
}

/// Which of the usual classes to take. `None` leaves a class out.
#[derive(Clone, Debug, Default)]
pub(super) struct Wish {
    pub(super) lower: Option<usize>,
    pub(super) upper: Option<usize>,
    pub(super) digits: Option<usize>,
    pub(super) special: Option<usize>,
    pub(super) special_letters: String,
    pub(super) excluded: String,
}

/// Fills from the operating system.
pub(super) fn fill_from_system(bytes: &mut [u8]) {
    rand::fill(bytes);
}

impl Wish {
    pub(super) fn classes(&self) -> Vec<Class> {
        let wishes = [
            (self.lower, LOWER),
            (self.upper, UPPER),
            (self.digits, DIGITS),
            (self.special, &self.special_letters),
        ];
        let class = |(at_least, letters): (Option<usize>, &str)| {
            let letters: Vec<char> =
                letters.chars().filter(|letter| !self.excluded.contains(*letter)).collect();
            at_least.filter(|_| !letters.is_empty()).map(|at_least| Class { letters, at_least })
        };
        wishes.into_iter().filter_map(class).collect()
    }
}

/// A password of `length` letters of the classes, every one equally likely after the demanded ones.
pub(super) fn password(length: usize, classes: &[Class], fill: fn(&mut [u8])) -> String {
    let mut letters = Vec::with_capacity(length);
    for class in classes {
        letters.extend((0..class.at_least).map(|_| pick(&class.letters, fill)));
    }
    let all: Vec<char> = classes.iter().flat_map(|class| class.letters.iter().copied()).collect();
    while letters.len() < length && !all.is_empty() {
        letters.push(pick(&all, fill));
    }
    shuffle(&mut letters, fill);
    letters.truncate(length);
    letters.into_iter().collect()
}

fn pick(letters: &[char], fill: fn(&mut [u8])) -> char {
    letters[below(letters.len(), fill)]
}

fn shuffle(letters: &mut [char], fill: fn(&mut [u8])) {
    for index in (1..letters.len()).rev() {
        letters.swap(index, below(index + 1, fill));
    }
}

/// A number below `limit`; numbers that would make some more likely are drawn again.
pub(super) fn below(limit: usize, fill: fn(&mut [u8])) -> usize {
    let limit = u32::try_from(limit).expect("a limit is a number of letters");
    let fair = u32::MAX - u32::MAX % limit;
    loop {
        let mut bytes = [0; 4];
        fill(&mut bytes);
        let number = u32::from_le_bytes(bytes);
        if number < fair {
            return (number % limit) as usize;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish() -> Wish {
        Wish {
            lower: Some(1),
            upper: Some(2),
            digits: Some(3),
            special: None,
            special_letters: SPECIAL.to_owned(),
            excluded: "0O".to_owned(),
        }
    }

    #[test]
    fn a_password_has_what_was_wished_for() {
        for _ in 0..50 {
            let made = password(12, &wish().classes(), fill_from_system);
            assert_eq!(made.len(), 12);
            assert!(made.chars().filter(char::is_ascii_uppercase).count() >= 2, "{made}");
            assert!(made.chars().filter(char::is_ascii_digit).count() >= 3, "{made}");
            assert!(
                made.chars().all(|letter| letter.is_ascii_alphanumeric() && !"0O".contains(letter)),
                "{made}"
            );
        }
    }

    #[test]
    fn two_passwords_differ() {
        let make = || password(20, &wish().classes(), fill_from_system);
        assert_ne!(make(), make());
    }
}
