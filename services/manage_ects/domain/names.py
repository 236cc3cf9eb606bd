"""Made-up names, in the mix that a real list has: accents, hyphens, apostrophes, other scripts, long ones."""
# ruff: noqa: SIM905 - lists of words are easier to read as text

from random import Random

FIRST = (
    "Aisha|Amelia|Anya|Aoife|Ben|Bronwen|Callum|Chidi|Chloë|Daniel|Deepa|Ebony|Eilidh|Elif|Emeka|Esther|"
    "Farah|Fatima|Finn|Freya|Gareth|Grace|Hamza|Hannah|Harriet|Hui-Min|Ibrahim|Imogen|Isla|Jamal|Jasper|"
    "José|Jude|Kamal|Katarzyna|Keira|Kwame|Leila|Leon|Lucía|Mabel|Malik|Maya|Megan|Mohammed|Niamh|Noah|"
    "Olivia|Omar|Oscar|Phoebe|Priya|Quentin|Rhys|Rosa|Ruth|Saoirse|Samir|Sanjay|Siân|Sofia|Søren|Tamsin|"
    "Tariq|Theo|Uma|Violet|Wei|William|Xanthe|Yusuf|Zainab|Zoë"
).split("|")
LAST = (
    "Abbott|Adeyemi|Ahmed|Akhtar|Ashworth|Bailey|Banerjee|Barnes|Begum|Bennett|Björk|Brennan|Carter|"
    "Chaudhry|Chen|Clarke|Cooper|D’Souza|Davies|Dhillon|Doyle|Edwards|Ekwueme|Evans|Fernández|Fletcher|"
    "Foster|Gallagher|Gill|Green|Hall|Harris|Hughes|Hussain|Iqbal|Jackson|Jones|Kaur|Kelly|Khan|Kowalczyk|"
    "Lewis|Li|MacLeod|Mahmood|Martin|McKenzie|Mensah|Mitchell|Murphy|Müller|Nguyen|Novak|Núñez-Hall|"
    "O’Brien|O’Connor|Okafor|Osei|Parker|Patel|Pereira|Phillips|Price|Rahman|Reid|Roberts|Robinson|Sato|"
    "Scott|Shah|Singh|Smith|St John-Smythe|Taylor|Thomas|Turner|van der Berg|Walker|Ward|Watson|White|"
    "Williams|Wójcik|Wright|Young"
).split("|")
RARE = (
    "مريم الهاشمي",
    "李 小龙",
    "Nguyễn Thị Minh Khai",
    "Wilhelmina Aurelia Featherstonehaugh-Cholmondeley",
)
TOWNS = (
    "Ashcombe|Birchley|Bramfield|Brookhaven|Caldermere|Carrowby|Copperton|Dunmarsh|Easterleigh|Elmbridge|"
    "Fairholt|Ferrydale|Greyford|Hartswell|Hazelmoor|Heronsgate|Ivelby|Kestrelton|Kingsmarsh|Langbourne|"
    "Larchfield|Lowmere|Maplestead|Merrowdown|Millbrook|Netherfold|Oakhampton|Otterby|Penwold|Quarrydale|"
    "Ravensholme|Redwater|Rowanbury|Saltmarsh|Sandwick|Silverdale|Stonely|Thornwick|Upperby|Wayford|"
    "Westermere|Whinmoor|Wickersley|Willowby|Wrenfield|Yarnton"
).split("|")
SCHOOL_KINDS = (
    "Primary School|High School|Academy|Infant School|Junior School|Grammar School|Nursery School|"
    "Church of England Primary School|Community College|Sixth Form College|Special School"
).split("|")
PARTNER_KINDS = ("Teaching School Hub", "Education Group", "Learning Network", "Training Academy")
LEAD_PROVIDERS = (
    "Northbridge Teaching Institute",
    "Harbour Learning Trust",
    "Meridian Teacher Development",
    "Beacon Education Partnership",
    "Oakfield Professional Learning",
    "Compass Teaching Network",
    "Riverside Institute of Education",
)
DEMO_PARTNERS = ("Fernhill Teaching School Hub", "Larkspur Education Group")
EMAIL_DOMAINS = ("example.org", "example.com", "example.net")


def person(rng: Random) -> str:
    if rng.random() < 0.01:
        return rng.choice(RARE)
    return f"{rng.choice(FIRST)} {rng.choice(LAST)}"


def email(name: str, number: int) -> str:
    """An address that nobody has: on a domain kept for examples, and unlike any other by its number."""
    plain = "".join(c for c in name.lower().replace(" ", ".") if c.isascii() and (c.isalnum() or c == "."))
    return f"{plain.strip('.') or 'teacher'}.{number}@{EMAIL_DOMAINS[number % len(EMAIL_DOMAINS)]}"


def trn(number: int) -> str:
    """Seven digits, a different one for each number below ten million, many with leading zeros."""
    return f"{number * 7_919 % 10_000_000:07d}"


def school(rng: Random) -> str:
    saint = rng.random() < 0.15
    return f"{'St Bride’s ' if saint else ''}{rng.choice(TOWNS)} {rng.choice(SCHOOL_KINDS)}"


def delivery_partner(index: int) -> str:
    if index < len(DEMO_PARTNERS):
        return DEMO_PARTNERS[index]
    town = TOWNS[index % len(TOWNS)]
    return f"{town} {PARTNER_KINDS[(index // len(TOWNS) + index) % len(PARTNER_KINDS)]}"
