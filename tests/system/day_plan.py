"""Who comes to a hall on the played day, with what: customers, bills and people, drawn from a seed.  Plain dates and numbers, nothing of
hallsync."""
import datetime
from types import SimpleNamespace

TICK = 3  # minutes: one customer at a window, at least
OPEN, SHUT = 8 * 60 + 30, 17 * 60
# How many come, by half hours from the opening on.
CROWD = (2, 3, 6, 6, 5, 4, 3, 2, 1, 2, 3, 4, 5, 5, 4, 2, 1)
METHODS = ("cash",) * 10 + ("card",) * 4 + ("bank_slip",) * 2 + ("cheque",) + ("transfer",)
BUSINESS = ("complaint", "complaint_silent", "meter_check", "new_connection", "title", "consultation", "outage", "subscribe", "data",
            "opinion", "hazard", "invoice_later")
PRIORITIES = ("elderly", "elderly", "disabled", "pregnant", "soldier")
SUBSCRIBERS = 164


def played_date():
    """A Wednesday that has not come, so that nothing that was made before it is younger than the day."""
    today = datetime.date.today()
    return today + datetime.timedelta(days=2 + (2 - today.weekday() - 2) % 7)


class Plan:
    def __init__(self, chance, date, halls, payers):
        self.chance, self.date, self.halls = chance, date, halls
        self.customers, self.bills, self.people = {}, {}, []
        self.free = []  # accounts that anybody may come for
        for _ in range(payers):
            self.free.append(self.customer())
        for number in range(payers):
            self.payer(number)
        for _ in range(24):
            self.cut_off(self.minute())
        self.estate = [self.customer(billing="prepaid") for _ in range(5)]  # closed off: nobody leaves it
        dark = self.customer(supply_status="off")
        self.dark = dark, [self.bill(dark, -30), self.bill(dark, -9)]
        # Who goes to two halls, where there are two: pays the same bill twice, in two halves; with one card; with two telephones.
        self.twice, self.halves = ([(account, self.bill(account, days)) for account, days in zip((self.customer(), self.customer()), (-20, 4))]
                                   for _ in range(2))
        account = self.customer()
        self.regretted = account, self.bill(account, 8)  # he has paid it, and takes the money back in both
        self.one_card, self.two_phones = ([self.customer(), self.customer()] for _ in range(2))
        self.subscribers = self.chance.sample(self.free, min(SUBSCRIBERS, payers // 2))
        for account in self.subscribers:  # of some nobody comes to pay it
            self.bill(account, self.chance.randint(0, 6))
        for number in range(10 * len(BUSINESS)):
            account = self.customer()
            self.person(BUSINESS[number % len(BUSINESS)], self.minute(), account)
        self.people.sort(key=lambda person: person.minute)

    def day(self, days):
        return (self.date + datetime.timedelta(days=days)).isoformat()

    def minute(self):
        half_hour, = self.chance.choices(range(len(CROWD)), CROWD)
        return OPEN + half_hour * 30 + self.chance.randrange(30) // TICK * TICK

    def customer(self, **more):
        account = f"3201{len(self.customers) + 1:06}"
        self.customers[account] = {
            "account": account, "name": self.chance.choice("赵钱孙李周吴郑王") + self.chance.choice("芳强敏静磊洋艳杰"),
            "phone": f"139{self.chance.randrange(10 ** 8):08}", "card_no": f"C{account}", "identity_no": f"I{account}",
            "meter_no": f"M{account}", "tariff": "domestic", "supply_status": "on",
            "billing": self.chance.choice(("postpaid", "postpaid", "prepaid")), **more}
        return account

    def bill(self, account, days):
        """A bill whose last day to pay is in so many days."""
        number = f"B{len(self.bills) + 1:06}"
        late = [(days + 1, 300), (days // 2, 200), (0, 50), (5, 100)] if days < -3 else []
        self.bills[number] = {"bill_id": number, "account": account, "amount_fen": self.chance.randint(1000, 60000), "period": "2026-10",
                              "due_date": self.day(days),
                              "late_fees": [{"date": self.day(at), "amount_fen": fen} for at, fen in late]}
        return number

    def person(self, business, minute, account, **more):
        draw = self.chance.random()
        kiosk = more.pop("kiosk", False)
        self.people.append(SimpleNamespace(
            business=business, minute=minute, account=account, hall=self.chance.choice(self.halls), kiosk=kiosk,
            group="A" if business in ("bills", "topup", "advance", "fee") else "B",
            priority=self.chance.choice(PRIORITIES) if draw < 0.06 else None,
            known_by=self.chance.choice(("account", "account", "card_no", "identity_no")), **more))
        return self.people[-1]

    def payer(self, number):
        chance, account, draw = self.chance, self.chance.choice(self.free), self.chance.random()
        if draw < 0.8:
            count = chance.randint(2, 4) if chance.random() < 0.18 else 1
            bills = [self.bill(account, chance.choice((-20, -9, 0, 3, 9, 14))) for _ in range(count)]
            more = {"business": "bills", "bills": bills, "part": chance.random() < 0.05 and count == 1}
        elif draw < 0.92:
            more = {"business": "topup"}
        else:
            more = {"business": "advance" if draw < 0.97 else "fee"}
        kiosk = chance.random() < 0.15
        self.person(minute=self.minute(), account=account, kiosk=kiosk, method=chance.choice(("card", "cash") if kiosk else METHODS), **more)

    def cut_off(self, minute):
        """Somebody whose power is off comes and pays all that is late."""
        account = self.customer(supply_status="off")
        bills = [self.bill(account, -40), self.bill(account, -12)]
        self.bill(account, 5)  # this one has time
        self.person("bills", minute, account, bills=bills, part=False, method="cash")
