"""The programs that send mail to the servers."""
