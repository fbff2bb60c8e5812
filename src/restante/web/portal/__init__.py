"""The portal: pages for the people of an account, and for operators."""
