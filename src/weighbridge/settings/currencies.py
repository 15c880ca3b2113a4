"""The currencies that a price may be in: a slip such as USE or XXX would else stand beside every amount of a report.

All currencies in use are accepted, not only those of the price book. Prices of your own need no exchange rate; only the
prices that are taken from the book do, and it names the rate that is missing.
"""

import difflib

# ISO 4217 as of December 2026, without funds, metals and the codes of tests.
CURRENCIES = frozenset(
    """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP CNY COP
    CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR
    IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU
    MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG
    SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VES VND VUV WST
    XAF XCD XCG XOF XPF YER ZAR ZMW ZWG
    """.split()  # noqa: SIM905 - in quotes each, they could not be read or compared with the standard
)
_EXAMPLES = ("USD", "EUR", "GBP", "CHF", "JPY")


def currency_problem(given: object) -> str:
    """Return why a value is no currency, as the end of a sentence with its name; empty where it is one."""
    if isinstance(given, str) and given in CURRENCIES:
        return ""
    # 0.65: two letters of three agree. The usual currencies first: "USE" is near to many others, too.
    text = str(given).upper()
    near = difflib.get_close_matches(text, _EXAMPLES, n=1, cutoff=0.65)
    near = near or difflib.get_close_matches(text, sorted(CURRENCIES), n=1, cutoff=0.65)
    hint = f"; did you mean {near[0]}?" if near else ""
    return (
        f"must be three capital letters of a currency in use (ISO 4217), like {', '.join(_EXAMPLES)}, not {given!r}"
        f"{hint}"
    )
