"""The rules for a password that a person chooses. Pure.

Length counts most (NIST SP 800-63B, section 5.1.1.2): no rule asks for signs or digits. The list
has the usual passwords of that length.
"""

import re
from typing import Final

SHORTEST: Final = 12  # characters
LONGEST: Final = 256
MIN_NAME: Final = 3  # letters of a part of an address; shorter ones are in many words
_REPEATED: Final = re.compile(r"(.{1,4})\1*")
_ROWS: Final = (
    "0123456789012345678901234567890",
    "9876543210987654321098765432109",
    "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
    "azertyuiopqsdfghjklmwxcvbn",
    "1q2w3e4r5t6y7u8i9o0p",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
    "qazwsxedcrfvtgbyhnujm",
    "!@#$%^&*()_+",
)
# In lower case, without signs and with digits for letters undone (`_plain`).
_WORDS: Final = """
    passwordpassword passwordadmin adminpassword adminadmin adminadminadmin administrator
    administratoradministrator rootpassword rootrootroot mypassword mypasswordis thisismypassword
    changemechangeme changemenow changeme changethispassword letmeinletmein letmeinplease letmein
    welcome welcomewelcome welcomehome iloveyou iloveyouforever iloveyousomuch iloveyoubaby
    correcthorsebatterystaple correcthorse trustnooneever trustno opensesame secretsecret
    supersecret topsecretpassword secretpassword newpassword oldpassword temporarypassword
    temppassword defaultpassword testpassword testtesttest testingtesting password passwort
    passwortpasswort motdepasse motdepassemotdepasse contrasena wachtwoord
    qwertyqwerty qwertyuiopqwertyuiop asdfasdfasdf asdfghjklasdfghjkl zxcvbnmzxcvbnm abcabcabcabc
    footballfootball baseballbaseball superman supermansuperman batmanbatman starwarsstarwars
    sunshinesunshine princessprincess dragondragon monkeymonkey masterofpuppets
    manchesterunited liverpoolfc realmadrid barcelona mustangmustang whateverwhatever
    harrypotter lordoftherings ilovemyfamily ilovemyself ilovejesus jesuschrist godisgood
    godisgoodallthetime nevergiveup followthewhiterabbit tobeornottobe
    postmaster postmasterpostmaster hostmaster mailserver mailadmin backupmx restante
    restanterestante posterestante exchangeserver sysadminsysadmin spring summer autumn winter
"""
_COMMON: Final = frozenset(_WORDS.split())
_UNDONE: Final = str.maketrans("01345@$!7", "oleasasit")


def objection_to_password(password: str, email: str) -> str | None:
    """Return why a password is not accepted for a user; None if it is."""
    if len(password) < SHORTEST:
        return f"is too short: it needs {SHORTEST} characters"
    if len(password) > LONGEST:
        return f"is too long: it may have {LONGEST} characters"
    if not password.isprintable():
        return "has characters that cannot be typed"
    if _is_common(password.lower()):
        return "is a common password"
    plain = _plain(password)
    names = (part for part in re.split(r"[@.+_-]", email) if len(part) >= MIN_NAME)
    left = plain.replace(_plain(email), "")
    for name in names:
        left = left.replace(_plain(name), "")
    if len(left) < SHORTEST // 2 and left != plain:
        return "is made of your address"
    return None


def _is_common(text: str) -> bool:
    if _REPEATED.fullmatch(text) or any(text in row for row in _ROWS):
        return True
    bare = re.sub(r"[\W\d_]+", "", text)
    return _plain(text) in _COMMON or bare in _COMMON


def _plain(text: str) -> str:
    """Return the letters and digits of a text, with digits for letters undone."""
    return re.sub(r"[\W_]+", "", text.lower().translate(_UNDONE))
