/* code_tables - the published vocabularies as X-macros: shared/domain/README.md has the words behind them. */
#ifndef SCHEMA_CODE_TABLES_H
#define SCHEMA_CODE_TABLES_H

/* X(code, label, personal): what a proof can be. Personal kinds are scrubbed after retention and never leave in a webhook. */
#define EVIDENCE_KINDS(X)                                                    \
	X("ad_copy", "Advertisement", false)                                 \
	X("screenshot", "Screenshot", false)                                 \
	X("url", "Web address", false)                                       \
	X("landing_page", "Landing page", false)                             \
	X("distribution_proof", "Proof of distribution", false)              \
	X("invitation", "Invitation", false)                                 \
	X("agenda", "Agenda", false)                                         \
	X("photo", "Photo", true)                                            \
	X("slides", "Slides", false)                                         \
	X("script", "Script", false)                                         \
	X("offer_terms", "Terms of the offer", false)                        \
	X("deliverable", "Deliverable", false)                               \
	X("report", "Report", false)                                         \
	X("attendee_list", "List of attendees", true)                        \
	X("invoice_copy", "Copy of an invoice", false)                       \
	X("delivery_proof", "Proof of delivery", false)                      \
	X("itinerary", "Itinerary", false)                                   \
	X("specification", "Specification", false)                           \
	X("other", "Other", false)

/* X(code, label): why something is asked for, reduced or rejected. */
#define REASON_CODES(X)                                                      \
	X("proof_missing", "Proof is missing")                               \
	X("proof_not_legible", "The proof cannot be read")                   \
	X("proof_wrong_kind", "The proof is of another kind")                \
	X("proof_date_missing", "The proof shows no date")                   \
	X("proof_outside_period", "The proof is from outside the period")    \
	X("brand_missing", "The brand is not shown")                         \
	X("content_not_eligible", "The content is not eligible")             \
	X("invoice_missing", "The invoice is missing")                       \
	X("invoice_not_legible", "The invoice cannot be read")               \
	X("invoice_differs", "The invoice differs from what was entered")    \
	X("invoice_not_third_party", "The invoice is not from a third party") \
	X("amount_not_supported", "The amount is not supported by evidence") \
	X("rate_above_limit", "The rate is above the limit")                 \
	X("expense_not_eligible", "The expense is not eligible")             \
	X("cap_reached", "The cap of the activity is reached")               \
	X("duplicate", "This was claimed before")                            \
	X("pre_approval_missing", "The approval in advance is missing")      \
	X("no_answer_in_time", "No answer came in time")                     \
	X("withdrawn_by_partner", "Withdrawn by the partner")                \
	X("policy_exception", "An exception was made")                       \
	X("other", "Other: see the message")

/* X(family, what, severity, label): info tells, warning wants a look, blocker stops submit. */
#define CHECK_CODES(X)                                                                            \
	X("file", "malware", "blocker", "The file contains malware")                              \
	X("file", "empty", "blocker", "The file is empty")                                        \
	X("file", "unreadable", "warning", "The file cannot be read")                             \
	X("file", "encrypted", "warning", "The file is protected by a password")                  \
	X("file", "type_mismatch", "warning", "The content is of another type than the name says") \
	X("file", "polyglot", "warning", "The file is valid as more than one type")               \
	X("file", "active_content", "warning", "The file contains macros or scripts")             \
	X("file", "corrupt", "warning", "The file is damaged")                                    \
	X("file", "limit_exceeded", "warning", "The file is too large or too complex to be read whole") \
	X("file", "duplicate_exact", "warning", "The same file was used before")                  \
	X("image", "blank", "warning", "The image is blank")                                      \
	X("image", "too_small", "info", "The image is too small to be judged")                    \
	X("image", "near_duplicate", "warning", "Nearly the same image was used before")          \
	X("image", "taken_outside_period", "warning", "The photo was taken outside the dates of the activity") \
	X("document", "attachment", "info", "The document contains other files")                  \
	X("document", "ocr_used", "info", "The text was read from an image")                      \
	X("document", "wrong_kind", "warning", "The document does not fit its requirement")       \
	X("invoice", "not_an_invoice", "warning", "The document does not look like an invoice")   \
	X("invoice", "number_differs", "warning", "The invoice number differs from what was entered") \
	X("invoice", "date_differs", "warning", "The invoice date differs from what was entered") \
	X("invoice", "supplier_differs", "warning", "The supplier differs from what was entered") \
	X("invoice", "currency_differs", "warning", "The currency differs from what was entered") \
	X("invoice", "total_differs", "warning", "The total differs from what was entered")       \
	X("invoice", "arithmetic", "warning", "The amounts of the invoice do not add up")         \
	X("invoice", "payable_mismatch", "warning", "The amount payable is not the total")        \
	X("invoice", "negative", "warning", "The invoice has a negative amount")                  \
	X("invoice", "credit_note", "warning", "This is a credit note")                           \
	X("invoice", "self_billed", "info", "The invoice was made by its buyer")                  \
	X("invoice", "prepaid", "info", "A part was paid in advance")                             \
	X("invoice", "rounding", "info", "The amounts differ by rounding")                        \
	X("invoice", "multiple_xml", "warning", "The file contains more than one e-invoice")      \
	X("invoice", "xml_unreadable", "warning", "The e-invoice in the file cannot be read")     \
	X("invoice", "xml_page_mismatch", "warning", "The e-invoice and the page show different amounts") \
	X("invoice", "profile_partial", "info", "The e-invoice holds a part of the data only")    \
	X("invoice", "outside_usage_period", "warning", "The invoice is from outside the usage period") \
	X("invoice", "duplicate_number", "warning", "An invoice with this number was claimed before") \
	X("invoice", "near_number", "info", "An invoice with a similar number was claimed before") \
	X("invoice", "same_amount", "info", "An invoice with the same amount was claimed in the last 30 days") \
	X("invoice", "over_claimed", "warning", "More is claimed against the invoice than is eligible") \
	X("invoice", "supplier_is_partner", "warning", "The supplier is the partner itself")      \
	X("claim", "cap_near", "info", "The cap of the activity is nearly reached")               \
	X("claim", "pre_approval_missing", "warning", "The activity needs an approval in advance")

/* X(family, what, label): history, stream and webhooks share them. Entering a state is claim.STATE. */
#define EVENT_TYPES(X)                                                       \
	X("claim", "created", "Claim created")                               \
	X("claim", "updated", "Claim changed")                               \
	X("claim", "assigned", "Reviewer assigned")                          \
	X("claim", "held", "Put on hold")                                    \
	X("claim", "unheld", "Hold ended")                                   \
	X("claim", "deadline_near", "A deadline is near")                    \
	X("claim", "editing", "Back to editing")                             \
	X("claim", "submitted", "Submitted")                                 \
	X("claim", "under_review", "Review started")                         \
	X("claim", "action_required", "Action required")                     \
	X("claim", "approved", "Approved")                                   \
	X("claim", "partially_approved", "Approved in part")                 \
	X("claim", "rejected", "Rejected")                                   \
	X("claim", "disputed", "Disputed")                                   \
	X("claim", "rejected_final", "Rejected for good")                    \
	X("claim", "cancelled", "Cancelled")                                 \
	X("claim", "expired", "Expired")                                     \
	X("invoice", "added", "Invoice added")                               \
	X("invoice", "updated", "Invoice changed")                           \
	X("invoice", "removed", "Invoice removed")                           \
	X("csr", "added", "Statement of in-house cost added")                \
	X("csr", "updated", "Statement of in-house cost changed")            \
	X("csr", "removed", "Statement of in-house cost removed")            \
	X("metric", "added", "Metric added")                                 \
	X("metric", "updated", "Metric changed")                             \
	X("metric", "removed", "Metric removed")                             \
	X("document", "uploaded", "Document uploaded")                       \
	X("document", "replaced", "Document replaced")                       \
	X("document", "updated", "Document changed")                         \
	X("document", "removed", "Document removed")                         \
	X("document", "ready", "Document read")                              \
	X("document", "rejected", "Document rejected")                       \
	X("document", "failed", "Document could not be processed")           \
	X("comment", "added", "Comment added")                               \
	X("comment", "updated", "Comment changed")                           \
	X("comment", "removed", "Comment removed")                           \
	X("request", "created", "Information requested")                     \
	X("request", "answered", "Request answered")                         \
	X("request", "closed", "Request closed")                             \
	X("request", "withdrawn", "Request withdrawn")                       \
	X("decision", "made", "Decision made")                               \
	X("decision", "confirmed", "Decision confirmed")                     \
	X("decision", "undone", "Decision undone")                           \
	X("dispute", "opened", "Dispute opened")                             \
	X("dispute", "decided", "Dispute decided")                           \
	X("check", "opened", "Check opened")                                 \
	X("check", "cleared", "Check cleared")                               \
	X("check", "overridden", "Check overridden")                         \
	X("collaborator", "invited", "Colleague invited")                    \
	X("collaborator", "joined", "Colleague joined")                      \
	X("collaborator", "removed", "Colleague removed")                    \
	X("payment", "status_changed", "Payment changed")                    \
	X("fund_account", "changed", "Fund account changed")                 \
	X("period", "opened", "Period opened")                               \
	X("period", "closing", "Period about to close")                      \
	X("period", "closed", "Period closed")                               \
	X("webhook_endpoint", "disabled", "Webhook endpoint disabled")       \
	X("test", "ping", "Test event")

#endif
