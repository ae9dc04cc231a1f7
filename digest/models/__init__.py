"""Tables, enums and plain values: the nouns of the program, a file each."""

from digest.models.article import Article
from digest.models.confirmation import Confirmation, MailState
from digest.models.consent import Act, ConsentEvent, Suppression, SuppressionReason
from digest.models.delivery import OPEN, Delivery, DeliveryState, Withheld, counts, is_counted
from digest.models.draft import Alert, Approval, DeskAct, Draft, Reach
from digest.models.edition import Cohort, Edition, EditionCohort, EditionState, Form, Variant, VariantArticle
from digest.models.editor import Editor, EditorSession, PasswordLink, Role
from digest.models.frozen import FrozenArticle
from digest.models.ledger import CadenceStart, Key, Ledger, Worker
from digest.models.mark import Memo
from digest.models.picture import Picture
from digest.models.reply import Outcome, Reply, Stage
from digest.models.slowed import LearnedLimit
from digest.models.source import Source
from digest.models.story import Fold, Shingle
from digest.models.subscriber import Subscriber, Subscription, SubscriptionState
from digest.models.withdrawal import Correction, Withdrawal

__all__ = [
    "OPEN",
    "Act",
    "Alert",
    "Approval",
    "Article",
    "CadenceStart",
    "Cohort",
    "Confirmation",
    "ConsentEvent",
    "Correction",
    "Delivery",
    "DeliveryState",
    "DeskAct",
    "Draft",
    "Edition",
    "EditionCohort",
    "EditionState",
    "Editor",
    "EditorSession",
    "Fold",
    "Form",
    "FrozenArticle",
    "Key",
    "LearnedLimit",
    "Ledger",
    "MailState",
    "Memo",
    "Outcome",
    "PasswordLink",
    "Picture",
    "Reach",
    "Reply",
    "Role",
    "Shingle",
    "Source",
    "Stage",
    "Subscriber",
    "Subscription",
    "SubscriptionState",
    "Suppression",
    "SuppressionReason",
    "Variant",
    "VariantArticle",
    "Withdrawal",
    "Withheld",
    "Worker",
    "counts",
    "is_counted",
]
