"""The platforms whose exports are recognised, one module each."""

from features.readers.platform import Platform
from features.readers.platforms.access_log import ACCESS_LOG
from features.readers.platforms.amazon_ses import AMAZON_SES
from features.readers.platforms.braze import BRAZE
from features.readers.platforms.brevo import BREVO
from features.readers.platforms.customerio import CUSTOMERIO
from features.readers.platforms.gophish import GOPHISH, GOPHISH_RESULTS
from features.readers.platforms.hubspot import HUBSPOT
from features.readers.platforms.iterable import ITERABLE
from features.readers.platforms.klaviyo import KLAVIYO
from features.readers.platforms.mailchimp import MAILCHIMP
from features.readers.platforms.mailersend import MAILERSEND
from features.readers.platforms.mailgun import MAILGUN
from features.readers.platforms.mailjet import MAILJET
from features.readers.platforms.mailtrap import MAILTRAP
from features.readers.platforms.mandrill import MANDRILL
from features.readers.platforms.marketo import MARKETO
from features.readers.platforms.postal import POSTAL
from features.readers.platforms.postmark import POSTMARK
from features.readers.platforms.resend import RESEND
from features.readers.platforms.salesforce import SALESFORCE
from features.readers.platforms.segment import SEGMENT
from features.readers.platforms.sendgrid import SENDGRID
from features.readers.platforms.sparkpost import SPARKPOST

PLATFORMS: tuple[Platform, ...] = (
    SENDGRID,
    AMAZON_SES,
    MAILGUN,
    POSTMARK,
    GOPHISH,
    GOPHISH_RESULTS,
    SPARKPOST,
    MANDRILL,
    MAILJET,
    ITERABLE,
    SALESFORCE,
    RESEND,
    POSTAL,
    MAILTRAP,
    BRAZE,
    HUBSPOT,
    MARKETO,
    KLAVIYO,
    CUSTOMERIO,
    BREVO,
    MAILCHIMP,
    MAILERSEND,
    SEGMENT,
    ACCESS_LOG,
)
